import Synchronization
import Testing

@testable import LinearAlgebra

@Suite struct KernelTests {
    @Test("a kernel below the processor is changed, an equal one and the user's choice stay")
    func choice() {
        #expect(KernelChoice.better(than: "Prescott", vectorLevel: 3, chosenByUser: false) == "SkylakeX")
        #expect(KernelChoice.better(than: "Haswell", vectorLevel: 3, chosenByUser: false) == "SkylakeX")
        #expect(KernelChoice.better(than: "Prescott", vectorLevel: 2, chosenByUser: false) == "Haswell")
        #expect(KernelChoice.better(than: "Zen", vectorLevel: 2, chosenByUser: false) == nil)
        #expect(KernelChoice.better(than: "Cooperlake", vectorLevel: 3, chosenByUser: false) == nil)
        #expect(KernelChoice.better(than: "Prescott", vectorLevel: 0, chosenByUser: false) == nil)
        #expect(KernelChoice.better(than: "Prescott", vectorLevel: 3, chosenByUser: true) == nil)
    }

    @Test("the kernel in use computes correctly and has a name")
    func current() {
        #expect(KernelChoice.computesCorrectly())
        #expect(!BLAS.kernelName.isEmpty && BLAS.kernelName != "unknown")
        #expect(BLAS.version.contains("OpenBLAS"))
        #expect(BLAS.threads >= 1)
    }

    /// In a process of its own, since no other thread may be inside BLAS during a change.
    @Test("a change of kernel takes effect and computes correctly")
    func change() async {
        await #expect(processExitsWith: .success) {
            for name in ["Prescott", "Haswell", "Sandybridge"] {
                // A kernel that this processor cannot run is not tried.
                if KernelChoice.levels[name.lowercased(), default: 0] > KernelChoice.processorLevel { continue }
                KernelChoice.change(to: name)
                guard BLAS.corename == name, KernelChoice.computesCorrectly() else {
                    fatalError("\(name) became \(BLAS.corename)")
                }
            }
        }
    }

    @Test("a kernel below the processor is replaced on first use")
    func replacement() async {
        await #expect(processExitsWith: .success) {
            KernelChoice.change(to: "Prescott")
            KernelChoice.forgetUserSetting()
            BLAS.prepare()
            let level = KernelChoice.levels[BLAS.kernelName.lowercased(), default: 0]
            guard level == KernelChoice.processorLevel, KernelChoice.computesCorrectly() else {
                fatalError("Prescott became \(BLAS.kernelName)")
            }
        }
    }

    @Test("a kernel that the user has named stays")
    func userSetting() async {
        await #expect(processExitsWith: .success) {
            KernelChoice.change(to: "Prescott")
            guard BLAS.kernelName == "Prescott" else { fatalError("Prescott became \(BLAS.kernelName)") }
        }
    }

    /// In a process of its own, since other tests change the number as well.
    @Test("the number of threads is 1 inside concurrent and nested work, and as before afterwards")
    func threads() async {
        await #expect(processExitsWith: .success) {
            BLAS.prepare()
            BLAS.threads = 2
            try BLAS.forEachConcurrently(8) { _ in
                guard BLAS.threads == 1 else { fatalError("\(BLAS.threads) threads in concurrent work") }
                try BLAS.forEachConcurrently(3) { _ in
                    guard BLAS.threads == 1 else { fatalError("\(BLAS.threads) threads in nested work") }
                }
            }
            guard BLAS.threads == 2 else { fatalError("\(BLAS.threads) threads afterwards") }
        }
    }

    @Test("work is done once for each index, several at once, and the first error is thrown")
    func concurrency() throws {
        let cells = (0..<100).map { _ in Cell() }
        try BLAS.forEachConcurrently(100) { cells[$0].add() }
        #expect(cells.allSatisfy { $0.value == 1 })
        expectCode("linear-algebra.singular", "error of index 3") {
            try BLAS.forEachConcurrently(10) { index in
                if index >= 3 { throw LinearAlgebraError(code: "linear-algebra.singular", message: "\(index)") }
            }
        }
    }
}

private final class Cell: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
}
