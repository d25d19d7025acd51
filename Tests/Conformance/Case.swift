internal import ConverterKit
internal import Execution
internal import Foundation
internal import ONNXFormat

/// A folder with a model and the results that it has to give.
struct Case: Sendable {
    var path: String
    /// The folder's name after that of its group: `node/test_abs`.
    var name: String { path.split(separator: "/").suffix(2).joined(separator: "/") }
    var group: String { String(name.prefix { $0 != "/" }) }

    /// The cases beneath a folder, by name.
    static func all(beneath root: String) -> [Case] {
        guard let walk = FileManager.default.enumerator(atPath: root) else { return [] }
        return walk.compactMap { $0 as? String }.filter { $0.hasSuffix("/model.onnx") }
            .map { Case(path: root + "/" + $0.dropLast("/model.onnx".count)) }.sorted { $0.path < $1.path }
    }

    enum Outcome {
        case passed
        case failed(String)
        case skipped(String)
    }

    /// Cases whose results come from the suite's own generator of random numbers.
    private static let random: Set = [
        "test_bernoulli", "test_bernoulli_double", "test_bernoulli_seed", "test_training_dropout",
        "test_training_dropout_default", "test_training_dropout_default_mask", "test_training_dropout_mask",
    ]

    /// Cases of the suite that contradict themselves: bfloat16 cut off instead of rounded, inputs of other extents than
    /// the model states.
    private static let faulty: Set = [
        "test_cast_FLOAT_to_BFLOAT16", "test_castlike_FLOAT_to_BFLOAT16", "test_castlike_BFLOAT16_to_FLOAT",
    ]

    func run() -> Outcome {
        if Self.faulty.contains(where: { name.hasSuffix("/" + $0) || name.hasSuffix("/" + $0 + "_expanded") }) {
            return .skipped("the case contradicts itself")
        }
        if Self.random.contains(where: { name.hasSuffix("/" + $0) || name.hasSuffix("/" + $0 + "_expanded") }) {
            return .skipped("the results are random")
        }
        do {
            let model = try ModelReader.read(path: path + "/model.onnx")
            let missing = GraphExecutor.missingOperators(of: model)
            if !missing.isEmpty {
                return .skipped(
                    missing.map { "operator not registered: \($0) [execution.unsupported]" }.joined(separator: "; "))
            }
            let sets = try FileManager.default.contentsOfDirectory(atPath: path)
                .filter { $0.hasPrefix("test_data_set_") }.sorted()
            guard !sets.isEmpty else { return .skipped("no data") }
            let executor = GraphExecutor(model, threads: 2)
            for set in sets { try run(executor, model, folder: path + "/" + set) }
            return .passed
        } catch let mismatch as Mismatch {
            return .failed(mismatch.description)
        } catch let error as ConversionError {
            if error.message.contains("complex") || error.code == "onnx.data.kind" {
                return .skipped("values of a kind that is not executed [\(error.code)]")
            }
            let place = error.site.node.map { " at \($0)" } ?? ""
            return .failed("\(error.message) [\(error.code)]\(place)")
        } catch {
            return .failed("\(error)")
        }
    }

    private func run(_ executor: GraphExecutor, _ model: Model, folder: String) throws {
        let inputs = model.graph.inputs.filter { executor.inputNames.contains($0.name ?? "") }
        var given: [String: RuntimeValue] = [:]
        for (index, info) in inputs.enumerated() {
            given[info.name ?? ""] = try Self.read(folder + "/input_\(index).pb", info)
        }
        let wanted = try model.graph.outputs.enumerated().map { try Self.read(folder + "/output_\($0).pb", $1) }
        // Twice: the second run finds the plan and its memory as the first has left them.
        for _ in 0..<2 {
            let results = try executor.run(given)
            for (info, wanted) in zip(model.graph.outputs, wanted) {
                guard let result = results[info.name ?? ""] else {
                    throw Mismatch(description: "no output \(info.name ?? "")")
                }
                try Comparison.check(result, wanted, name: info.name ?? "")
            }
        }
    }

    private static func read(_ path: String, _ info: ValueInfo) throws -> RuntimeValue {
        var stored = try DataReader.read(path: path, as: StoredValue.Kind(info))
        // The suite stores bfloat16 as the 16-bit integers of the same bits.
        if case .tensor(var tensor) = stored, info.tensorType?.elementTypeNumber == ElementType.bfloat16.rawValue,
            tensor.elementType == .uint16
        {
            tensor.elementTypeNumber = ElementType.bfloat16.rawValue
            stored = .tensor(tensor)
        }
        return try RuntimeValue(stored)
    }
}

extension RuntimeValue {
    init(_ stored: StoredValue) throws {
        switch stored {
        case .tensor(let tensor): self = .tensor(try TensorValue(tensor))
        case .sequence(let members): self = .sequence(try members.map { try RuntimeValue($0) })
        case .optional(let member): self = .optional(try member.map { try RuntimeValue($0) })
        }
    }
}
