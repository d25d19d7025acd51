internal import ConverterKit

/// Operators that pass their input on.
enum IdentityOperators {
    static let all = [identity, dropout, constant]

    static let identity = Operator("Identity", gradient: ShapeOperators.sameElements) { preparation in
        .view(try preparation.fact(0))
    }

    /// In inference mode; training mode is not executed.
    static let dropout = Operator("Dropout", gradient: ShapeOperators.sameElements) { preparation in
        let fact = try preparation.fact(0)
        if preparation.version >= 12, preparation.isStated(2), try preparation.integers(2)?.first == 1,
            try preparation.content(1)?.floats().first != 0
        {
            throw ExecutionError.unsupported("Dropout in training mode is random")
        }
        var prepared = Prepared.view(fact)
        if preparation.isWanted(1) {
            let maskType = preparation.version >= 10 ? ElementType.bool : fact.type
            prepared = Prepared([fact, TensorFact(type: maskType, shape: fact.shape)]) { arguments in
                let from = unsafe arguments.input(0, UInt8.self)
                let stride = fact.type.storage?.stride ?? 0
                unsafe arguments.output(0, UInt8.self).update(from: from, count: fact.count * stride)
                if maskType == .bool {
                    unsafe arguments.output(1, UInt8.self).update(repeating: 1, count: fact.count)
                } else {
                    unsafe arguments.output(1, Float.self).update(repeating: 1, count: fact.count)
                }
            }
        }
        return prepared
    }

    static let constant = Operator(evaluating: "Constant") { call in
        let attributes = call.attributes
        if let tensor = try attributes.tensor("value") { return [.tensor(tensor)] }
        if let value = attributes.float("value_float") { return [.tensor(try TensorValue([value], shape: []))] }
        if let value = attributes.int("value_int") { return [.tensor(try TensorValue([Int64(value)], shape: []))] }
        if let values = attributes.floats("value_floats") {
            return [.tensor(try TensorValue(values, shape: [values.count]))]
        }
        if let values = attributes.ints("value_ints") {
            return [.tensor(try TensorValue(values.map { Int64($0) }, shape: [values.count]))]
        }
        if let value = attributes.string("value_string") {
            return [.tensor(try TensorValue(strings: [value], shape: []))]
        }
        if let values = attributes.strings("value_strings") {
            return [.tensor(try TensorValue(strings: values, shape: [values.count]))]
        }
        throw ExecutionError.unsupported("a Constant of this kind is not executed")
    }
}
