import TestSupport
import Testing

/// What runs allocate, counted by a program that stands in front of the C library's functions.
@Suite("Allocations of runs")
struct AllocationTests {
    /// Debug builds allocate for what the optimizer removes.
    @Test func stepsInTheSteadyStateAllocateNothing() {
        let (output, status) = Shell.run("'\(BuildFolder.path)/allocation-probe'")
        #expect(status == 0)
        let cases = output.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(cases.count == 14)
        #if !DEBUG
        for item in cases { #expect(item.last == "0", "\(item.joined(separator: " "))") }
        #endif
    }
}
