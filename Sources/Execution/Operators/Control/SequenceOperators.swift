internal import ConverterKit

/// Sequences and optional values.
enum SequenceOperators {
    static let all = [
        construct, empty, at, insert, erase, length, split, concat, map, optional, hasElement, getElement,
    ]

    static let construct = Operator(evaluating: "SequenceConstruct") { call in
        let members = try call.inputs.indices.map { try call.value($0) }
        guard Set(try members.map { try $0.tensor().type }).count <= 1 else {
            throw ExecutionError.type("the members of a sequence are of different types")
        }
        return [.sequence(members)]
    }

    static let empty = Operator(evaluating: "SequenceEmpty") { _ in [.sequence([])] }

    static let at = Operator(evaluating: "SequenceAt") { call in
        let members = try call.value(0).sequence()
        return [members[try position(call.tensor(1), count: members.count, end: members.count)]]
    }

    static let insert = Operator(evaluating: "SequenceInsert") { call in
        var members = try call.value(0).sequence()
        let index = try call.optionalTensor(2).map {
            try position($0, count: members.count, end: members.count + 1)
        }
        members.insert(try call.value(1), at: index ?? members.count)
        return [.sequence(members)]
    }

    static let erase = Operator(evaluating: "SequenceErase") { call in
        var members = try call.value(0).sequence()
        guard !members.isEmpty else { throw ExecutionError.shape("SequenceErase of an empty sequence") }
        let index = try call.optionalTensor(1).map { try position($0, count: members.count, end: members.count) }
        members.remove(at: index ?? members.count - 1)
        return [.sequence(members)]
    }

    static let length = Operator(evaluating: "SequenceLength") { call in
        [.tensor(try .scalar(try call.value(0).sequence().count))]
    }

    static let split = Operator(evaluating: "SplitToSequence") { call in
        let tensor = try call.tensor(0)
        guard !tensor.shape.isEmpty else { throw ExecutionError.shape("SplitToSequence of a scalar") }
        let axis = try Axes.normalized(call.attributes.int("axis", otherwise: 0), rank: tensor.shape.count)
        let extent = tensor.shape[axis]
        guard let lengths = try call.optionalTensor(1) else {
            let keepsAxis = call.attributes.flag("keepdims", otherwise: true)
            return [
                .sequence(
                    try (0..<extent).map {
                        .tensor(
                            try keepsAxis ? tensor.part(axis: axis, $0..<$0 + 1) : tensor.slice(axis: axis, at: $0))
                    })
            ]
        }
        var sizes = try lengths.integers()
        if lengths.shape.isEmpty {
            let size = sizes[0]
            guard size > 0 else { throw ExecutionError.shape("SplitToSequence into parts of \(size)") }
            sizes = stride(from: 0, to: extent, by: size).map { min(size, extent - $0) }
        }
        var start = 0
        var parts: [RuntimeValue] = []
        for size in sizes {
            guard size >= 0, size <= extent - start else {
                throw ExecutionError.shape("SplitToSequence of \(extent) elements into \(sizes)")
            }
            parts.append(.tensor(try tensor.part(axis: axis, start..<start + size)))
            start += size
        }
        guard start == extent else { throw ExecutionError.shape("SplitToSequence of \(extent) elements into \(sizes)") }
        return [.sequence(parts)]
    }

    static let concat = Operator(evaluating: "ConcatFromSequence") { call in
        let parts = try call.value(0).sequence().map { try $0.tensor() }
        let isNew = call.attributes.flag("new_axis")
        guard let axis = call.attributes.int("axis") else {
            throw ExecutionError.attribute("ConcatFromSequence has no axis")
        }
        let rank = (parts.first?.shape.count ?? 0) + (isNew ? 1 : 0)
        let normal = try Axes.normalized(axis, rank: rank)
        return [
            .tensor(try isNew ? TensorValue.stacked(parts, axis: normal) : .concatenated(parts, axis: normal))
        ]
    }

    /// The body once for each member; other sequences go along, other tensors stay.
    static let map = Operator(evaluating: "SequenceMap") { call in
        let inputs = try call.inputs.indices.map { try call.value($0) }
        let count = try call.value(0).sequence().count
        var results = [[RuntimeValue]](repeating: [], count: call.wanted.count)
        for index in 0..<count {
            let members = try inputs.map { input -> RuntimeValue in
                guard case .sequence(let members) = input else { return input }
                guard members.count == count else {
                    throw ExecutionError.shape("SequenceMap of sequences of \(count) and \(members.count)")
                }
                return members[index]
            }
            let mapped = try call.run("body", members)
            guard mapped.count >= results.count else {
                throw ExecutionError.attribute("the body of SequenceMap has \(mapped.count) outputs")
            }
            for output in results.indices { results[output].append(mapped[output]) }
        }
        return results.map { .sequence($0) }
    }

    static let optional = Operator(evaluating: "Optional") { call in
        [.optional(call.isStated(0) ? try call.value(0) : nil)]
    }

    static let hasElement = Operator(evaluating: "OptionalHasElement") { call in
        guard call.isStated(0) else { return [.tensor(try .scalar(false))] }
        if case .optional(nil) = try call.value(0) { return [.tensor(try .scalar(false))] }
        return [.tensor(try .scalar(true))]
    }

    static let getElement = Operator(evaluating: "OptionalGetElement") { call in
        guard case .optional(let value) = try call.value(0) else { return [try call.value(0)] }
        guard let value else { throw ExecutionError.shape("OptionalGetElement of nothing") }
        return [value]
    }

    /// An index that may count from the end, below `end`.
    private static func position(_ tensor: TensorValue, count: Int, end: Int) throws -> Int {
        let index = try tensor.integer()
        let position = index < 0 ? index + count : index
        guard (0..<end).contains(position) else {
            throw ExecutionError.shape("there is no position \(index) in a sequence of \(count)")
        }
        return position
    }
}

extension RuntimeValue {
    /// The members. Throws `execution.type` for anything but a sequence.
    func sequence() throws -> [RuntimeValue] {
        switch self {
        case .sequence(let members): return members
        case .optional(let value?): return try value.sequence()
        default: throw ExecutionError.type("a sequence is wanted here")
        }
    }
}
