import ConverterKit
import Execution
import Foundation
import LinearAlgebra
import TestSupport
import Testing

@testable import FineTuning

/// Training a disturbed copy of a network back towards the network.
@Suite("Fine-tuning")
struct FineTunerTests {
    private struct Task {
        let original: Model
        let student: Model
        let data: Samples
        let validation: Samples

        init(labelled: Bool = true) throws {
            let network = try SmallNetwork(seed: 11)
            original = network.model
            var generator = SeededGenerator(seed: 12)
            var disturbed: [String: [Float]] = [:]
            for tensor in original.graph.initializers where tensor.shape.count == 4 {
                disturbed[tensor.name ?? ""] = try tensor.floats().map { $0 + 0.1 * Float(generator.normal()) }
            }
            student = try original.withWeights(disturbed)
            data = try Self.samples(256, seed: 1, of: original, labelled: labelled)
            validation = try Self.samples(128, seed: 2, of: original, labelled: labelled)
        }

        private static func samples(_ count: Int, seed: UInt64, of model: Model, labelled: Bool) throws -> Samples {
            var generator = SeededGenerator(seed: seed)
            let side = SmallNetwork.side
            let pixels = (0..<count * 3 * side * side).map { _ in Float(generator.normal()) }
            let plain = Samples(pixels, shape: [3, side, side], labels: nil)
            if !labelled { return plain }
            return Samples(
                pixels, shape: [3, side, side], labels: try Predictions(model, threads: 2).classes(plain))
        }

        func tuner(_ settings: FineTuningSettings, checkpoint: String? = nil) -> FineTuner {
            FineTuner(
                student: student, original: original,
                replacedValues: original.graph.nodes.filter { $0.operation == "Conv" }.flatMap(\.outputs),
                settings: settings, reduction: 0.5, checkpoint: checkpoint, identity: "test")
        }
    }

    private static func settings(epochs: Int) -> FineTuningSettings {
        var settings = FineTuningSettings()
        settings.epochs = epochs
        settings.batchSize = 32
        settings.learningRate = 0.02
        settings.crop = 0
        settings.flips = false
        settings.threads = 2
        return settings
    }

    @Test("Training brings the student back", arguments: [true, false], FineTuningSettings.Optimizer.allCases)
    func trainingHelps(labelled: Bool, optimizer: FineTuningSettings.Optimizer) throws {
        let task = try Task(labelled: labelled)
        var settings = Self.settings(epochs: 6)
        settings.optimizer = optimizer
        if optimizer == .adamw { settings.learningRate = 0.003 }
        let tuner = task.tuner(settings)
        let before = try tuner.score(task.student, on: task.validation)
        let result = try tuner.run(on: task.data, validation: task.validation, scoreBefore: before)
        let after = try tuner.score(result.model, on: task.validation)
        #expect(after > before, "\(before) -> \(after), labelled \(labelled), \(optimizer)")
        let losses = result.epochs.map(\.loss)
        #expect(try #require(losses.last) < (try #require(losses.first)) * 0.7, "\(losses)")
    }

    @Test func aRunThatWasEndedGoesOnToTheSameWeights() throws {
        let task = try Task()
        let folder = try TemporaryFolder()
        let settings = Self.settings(epochs: 3)
        let whole = try task.tuner(settings).run(on: task.data, validation: task.validation)
        struct Ended: Error {}
        let path = folder.path + "/checkpoint"
        var steps = 0
        // In the middle of the second epoch.
        #expect(throws: Ended.self) {
            _ = try task.tuner(settings, checkpoint: path).run(on: task.data, validation: task.validation) {
                steps += 1
                if steps == 12 { throw Ended() }
            }
        }
        let resumed = try task.tuner(settings, checkpoint: path).run(on: task.data, validation: task.validation)
        #expect(resumed.epochs.map(\.loss) == whole.epochs.map(\.loss))
        for (a, b) in zip(whole.model.graph.initializers, resumed.model.graph.initializers)
        where a.elementType == .float32 {
            #expect(try a.floats() == b.floats(), "\(a.name ?? "")")
        }
    }

    @Test func aCheckpointOfAnotherRunIsNotTakenUp() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/checkpoint"
        try Checkpoint(
            identity: "another", epoch: 1, steps: 1, weights: [:], statistics: [:], optimizer: [], best: nil, log: []
        ).write(path)
        #expect(Checkpoint.read(path, identity: "test") == nil)
        #expect(Checkpoint.read(path, identity: "another") != nil)
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
        #expect(Checkpoint.read(path, identity: "another") == nil)
    }

    @Test func aLossThatIsNoNumberEndsTheRun() throws {
        let task = try Task()
        var settings = Self.settings(epochs: 2)
        settings.learningRate = 1e30
        settings.clipNorm = 0
        #expect {
            _ = try task.tuner(settings).run(on: task.data, validation: nil)
        } throws: { error in
            (error as? ConversionError)?.code == "fine-tuning.diverged"
        }
    }

    @Test func tooFewSamplesAreRefused() throws {
        let task = try Task()
        var settings = Self.settings(epochs: 1)
        settings.batchSize = 512
        #expect {
            _ = try task.tuner(settings).run(on: task.data, validation: nil)
        } throws: { error in
            (error as? ConversionError)?.code == "fine-tuning.too-few-samples"
        }
    }
}
