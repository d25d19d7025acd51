import ConverterKit
import Testing

@testable import Execution

/// A program of one node, for tests of operators by themselves.
enum SingleOperator {
    /// Its outputs; the inputs are known only when the program runs.
    static func run(
        _ name: String, domain: String = "", _ attributes: AttributeList, _ inputs: [RuntimeValue?],
        outputs: Int = 1, version: Int = 21, threads: Int = 2
    ) throws -> [RuntimeValue] {
        let program = Program(pool: ThreadPool.shared(width: threads))
        let ids = inputs.enumerated().map { index, value in value.map { program.addInput("input \(index)", of: $0) } }
        let use = OperatorUse(OperatorKey(domain: domain, name: name), attributes, version: version, node: name)
        let made = try program.emit(use, ids, wanted: [Bool](repeating: true, count: outputs)).compactMap { $0 }
        let plan = try Plan(program, outputs: made)
        var given: [ValueID: RuntimeValue] = [:]
        for (id, value) in zip(ids, inputs) { if let id, let value { given[id] = value } }
        return try plan.run(given)
    }

    /// Without attributes.
    static func run(
        _ name: String, domain: String = "", _ inputs: [RuntimeValue?], outputs: Int = 1, version: Int = 21
    ) throws -> [RuntimeValue] {
        try run(name, domain: domain, [:], inputs, outputs: outputs, version: version)
    }
}

extension RuntimeValue {
    static func floats(_ values: [Float], _ shape: [Int]) throws -> RuntimeValue {
        .tensor(try TensorValue(values, shape: shape))
    }

    static func integers(_ values: [Int], _ shape: [Int]? = nil) throws -> RuntimeValue {
        .tensor(try TensorValue(values.map { Int64($0) }, shape: shape ?? [values.count]))
    }

    static func elements<T: Element>(_ values: [T], _ shape: [Int], _ type: ElementType) throws -> RuntimeValue {
        .tensor(try TensorValue(elements: values, shape: shape, type: type))
    }
}
