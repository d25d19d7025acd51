internal import ConverterKit

/// Operators that make tensors of what is known: constants, ranges, diagonals.
enum FillingOperators {
    static let all = [constantOfShape, range, eyeLike]

    /// One value everywhere.
    static let constantOfShape = Operator("ConstantOfShape") { preparation in
        guard let shape = try preparation.integers(0) else {
            throw ExecutionError.missingInput("shape of ConstantOfShape")
        }
        _ = try shape.elementCount()
        let value = try preparation.attributes.tensor("value") ?? TensorValue([Float(0)], shape: [1])
        guard value.count == 1, let element = value.type.storage?.element else {
            throw ExecutionError.attribute("ConstantOfShape with a value of shape \(value.shape)")
        }
        let result = TensorFact(type: value.type, shape: shape)
        func make<T: Element>(_: T.Type) throws -> Prepared {
            let filler = try value.elements(T.self)[0]
            return Prepared([result]) { arguments in
                unsafe Fill.repeating(filler, arguments.output(0, T.self), count: result.count, arguments.pool)
            }
        }
        var prepared = try make(element)
        prepared.isConstant = true
        return prepared
    }

    /// `start + i·delta` up to but without the limit.
    static let range = Operator("Range") { preparation in
        guard let start = try preparation.content(0), let limit = try preparation.content(1),
            let delta = try preparation.content(2)
        else { throw ExecutionError.missingInput("start, limit or delta of Range") }
        guard start.count == 1, limit.count == 1, delta.count == 1, let element = start.type.storage?.element,
            limit.type == start.type, delta.type == start.type
        else { throw ExecutionError.shape("Range without three numbers of one type") }
        let type = start.type
        func make<T: Element>(_: T.Type) throws -> Prepared {
            let (first, step) = (try start.elements(T.self)[0], try delta.elements(T.self)[0])
            let (from, to, by) = (first.asDouble, try limit.elements(T.self)[0].asDouble, step.asDouble)
            let steps = ((to - from) / by).rounded(.up)
            guard by != 0, steps.isFinite, steps < 0x1p40 else {
                throw ExecutionError.shape("a range from \(from) to \(to) in steps of \(by)")
            }
            let count = max(0, Int(steps))
            return Prepared([TensorFact(type: type, shape: [count])]) { arguments in
                let memory = unsafe arguments.output(0, T.self)
                for index in 0..<count {
                    unsafe memory[index] = T.adding(first, T.multiplying(T(clamping: Double(index)), step))
                }
            }
        }
        var prepared = try make(element)
        prepared.isConstant = true
        return prepared
    }

    /// Ones on diagonal `k`, zeros elsewhere, in the input's extents.
    static let eyeLike = Operator("EyeLike") { preparation in
        let fact = try preparation.fact(0)
        let shape = fact.shape.count == 1 ? [fact.shape[0], fact.shape[0]] : fact.shape
        guard shape.count == 2 else { throw ExecutionError.shape("EyeLike of shape \(shape)") }
        _ = try shape.elementCount()
        let type = try preparation.attributes.elementType("dtype") ?? fact.type
        let diagonal = min(max(preparation.attributes.int("k", otherwise: 0), -shape[0]), shape[1])
        let result = TensorFact(type: type, shape: shape)
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let to = unsafe arguments.output(0, T.self)
                unsafe Fill.repeating(T.zero, to, count: result.count, arguments.pool)
                for row in 0..<shape[0] where row + diagonal >= 0 && row + diagonal < shape[1] {
                    unsafe to[row * shape[1] + row + diagonal] = T(clamping: 1)
                }
            }
        }
        guard let element = type.storage?.element else { throw ExecutionError.type("EyeLike of \(type)") }
        var prepared = make(element)
        prepared.isConstant = true
        return prepared
    }
}

extension AttributeList {
    /// A type by its number. Throws `execution.attribute` for one that is not known.
    func elementType(_ name: String) throws -> ElementType? {
        guard let number = int(name), number != 0 else { return nil }
        guard let raw = Int32(exactly: number), let type = ElementType(rawValue: raw) else {
            throw ExecutionError.attribute("there is no element type \(number)")
        }
        return type
    }
}
