import Execution
import LinearAlgebra
import Testing

@testable import FineTuning

@Suite("Samples")
struct SamplesTests {
    @Test func bytesAreNormalizedByChannel() throws {
        let samples = Samples(
            [0, 255, 10, 20], shape: [2, 1, 2], scale: [0.5, 2], shift: [1, -1], labels: [3])
        let tensor = try samples.tensor(0..<1)
        #expect(tensor.shape == [1, 2, 1, 2])
        #expect(try tensor.floats() == [1, 128.5, 19, 39])
    }

    @Test func aMoveShiftsAndMirrorsAndFillsWithBlack() {
        let samples = Samples(
            [1, 2, 3, 4, 5, 6, 7, 8, 9], shape: [1, 3, 3], scale: [1], shift: [10], labels: nil)
        var batch = [Float](repeating: 0, count: 9)
        samples.fill(&batch, [0], [Augmentation.Move(down: 1, right: 0, isMirrored: true)])
        #expect(batch == [16, 15, 14, 19, 18, 17, 10, 10, 10])
        samples.fill(&batch, [0], [Augmentation.Move(down: 0, right: -1, isMirrored: false)])
        #expect(batch == [10, 11, 12, 10, 14, 15, 10, 17, 18])
    }

    @Test func aSplitTakesEachSampleOnce() throws {
        let samples = Samples((0..<50).map { Float($0) }, shape: [1], labels: (0..<50).map { Int64($0) })
        let (first, second) = samples.splitting(share: 0.2, seed: 4)
        #expect(first.count == 40 && second.count == 10)
        let all = try first.tensor(0..<40).floats() + second.tensor(0..<10).floats()
        #expect(all.sorted() == (0..<50).map { Float($0) })
        #expect(try second.labels?.map { Float($0) } == second.tensor(0..<10).floats())
    }

    @Test("The one-cycle schedule rises to its peak and falls to nothing", arguments: [10, 1000])
    func oneCycle(steps: Int) {
        let rate = LearningRate(schedule: .oneCycle, peak: 0.4, steps: steps)
        let rates = (0..<steps).map { rate.rate(at: $0) }
        let top = rates.indices.max { rates[$0] < rates[$1] } ?? 0
        #expect(abs(Double(top) / Double(steps) - 0.2) < 0.11)
        #expect(rates[top] <= 0.4 && rates[top] > 0.35)
        #expect(rates[0] < 0.1)
        #expect(rates[top...].elementsEqual(rates[top...].sorted(by: >)))
        #expect(rate.rate(at: steps) < 0.001)
    }

    @Test func theLearningRateFollowsTheReduction() {
        let settings = FineTuningSettings()
        #expect(settings.learningRate(forReduction: 0.3) < settings.learningRate(forReduction: 0.8))
        var fixed = settings
        fixed.learningRate = 0.123
        #expect(fixed.learningRate(forReduction: 0.9) == 0.123)
    }
}
