import Testing

@testable import Conversion

@Suite("Report text")
struct ReportTextTests {
    @Test("numbers are rounded and grouped for people")
    func numbers() {
        #expect(ReportText.decimal(0.12345, 4) == "0.1235")
        #expect(ReportText.decimal(-0.00001, 2) == "0.00")
        #expect(ReportText.decimal(1.999, 2) == "2.00")
        #expect(ReportText.decimal(12.05, 2) == "12.05")
        #expect(ReportText.grouped(1_234_567) == "1 234 567")
        #expect(ReportText.percent(-0.5) == "-50.00 %")
    }

    @Test("a reduction is read as a percentage or a fraction, and nothing else")
    func reductions() {
        #expect(Reduction(parsing: "params=50%") == Reduction(.params, 0.5))
        #expect(Reduction(parsing: "macs=0.3") == Reduction(.macs, 0.3))
        for text in ["params", "flops=50%", "params=150%", "params=-1%", "params=x", "params=100%"] {
            #expect(Reduction(parsing: text) == nil, "\(text)")
        }
    }
}
