import ConverterKit
import Execution
import FineTuning
import Foundation
import LinearAlgebra
import ONNXFormat

/// `fine-tuning-bench`: trains a factorized classifier of 32×32 images and writes the weights it ends with.
///
///     fine-tuning-bench STUDENT ORIGINAL --images x.u8 --labels y.i64 --validation-images … --validation-labels …
///         --weights OUT [--epochs 10] [--rate 0.05] [--batch 128] [--lambda 0.5] [--distillation 0.5] [--decay 5e-4]
@main struct FineTuningBench {
    static func main() throws {
        var words = Array(CommandLine.arguments.dropFirst())
        let (student, original) = (try ModelReader.read(path: words[0]), try ModelReader.read(path: words[1]))
        words.removeFirst(2)
        var options: [String: String] = [:]
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            options[String(words[index].dropFirst(2))] = words[index + 1]
        }
        func number(_ name: String, _ value: Double) -> Double { options[name].flatMap { Double($0) } ?? value }
        BLAS.prepare()
        var settings = FineTuningSettings()
        settings.epochs = Int(number("epochs", 10))
        settings.learningRate = options["rate"].flatMap { Double($0) }
        settings.batchSize = Int(number("batch", 128))
        settings.lambda = number("lambda", 0.5)
        settings.distillation = number("distillation", 0.5)
        settings.weightDecay = number("decay", 5e-4)
        settings.temperature = number("temperature", 4)
        settings.normalization = options["normalization"].flatMap { .init(rawValue: $0) } ?? .batch
        settings.schedule = options["schedule"].flatMap { .init(rawValue: $0) } ?? .oneCycle
        settings.optimizer = options["optimizer"].flatMap { .init(rawValue: $0) } ?? .sgd
        settings.threads = Int(number("threads", 2))
        let known = Set(original.graph.nodes.filter { $0.operation == "Conv" }.flatMap(\.outputs))
        let shared = student.graph.nodes.filter { $0.operation == "Conv" }.flatMap(\.outputs).filter(known.contains)
        let tuner = FineTuner(
            student: student, original: original, replacedValues: shared, settings: settings, reduction: 0.75
        ) { progress in
            if Int(progress.fraction * 1000) % 100 < 3 {
                FileHandle.standardError.write(
                    Data(
                        "epoch \(progress.epoch + 1) \(progress.fraction) loss \(progress.loss) left \(progress.secondsLeft)\n"
                            .utf8))
            }
        }
        let data = try samples(options["images"] ?? "", options["labels"])
        let validation = try options["validation-images"].map { try samples($0, options["validation-labels"]) }
        if let validation {
            print(
                "before: \(try tuner.score(student, on: validation)) original \(try tuner.score(original, on: validation))"
            )
        }
        let result = try tuner.run(on: data, validation: validation)
        for epoch in result.epochs { print(epoch) }
        if let validation { print("after: \(try tuner.score(result.model, on: validation))") }
        if let folder = options["weights"] {
            for tensor in result.model.graph.initializers where tensor.elementType == .float32 {
                let floats = try tensor.floats()
                let file = folder + "/" + (tensor.name ?? "").replacingOccurrences(of: "/", with: "_") + ".bin"
                try floats.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: file)) }
            }
        }
    }

    static func samples(_ images: String, _ labels: String?) throws -> Samples {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: images)))
        let classes = try labels.map {
            try Data(contentsOf: URL(fileURLWithPath: $0)).withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
        }
        let (mean, std): ([Float], [Float]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        return Samples(
            bytes, shape: [3, 32, 32], scale: std.map { 1 / 255 / $0 }, shift: zip(mean, std).map { -$0 / $1 },
            labels: classes)
    }
}
