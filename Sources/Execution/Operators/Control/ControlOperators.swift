internal import ConverterKit

/// Branches and loops over a node's own graphs.
enum ControlOperators {
    static let all = [branch, loop]

    static let branch = Operator(evaluating: "If") { call in
        let isTrue = try call.tensor(0).integer() != 0
        return try call.run(isTrue ? "then_branch" : "else_branch", [])
    }

    /// While the condition holds, at most `M` times:
    ///
    ///     (condition, carried…, scanned…) = body(iteration, condition, carried…)
    ///
    /// Gives the carried values, and each scanned value of all iterations along a new first axis.
    static let loop = Operator(evaluating: "Loop") { call in
        guard let body = call.use.subgraphs["body"]?.graph else { throw ExecutionError.attribute("Loop has no body") }
        let limit = try call.optionalTensor(0)?.integer() ?? Int.max
        var holds = try call.optionalTensor(1)?.integer() != 0
        var carried = try (2..<max(2, call.inputs.count)).map { try call.value($0) }
        let scanned = body.outputs.count - 1 - carried.count
        guard scanned >= 0, body.inputs.count == carried.count + 2 else {
            throw ExecutionError.attribute("the body of Loop does not have the carried values as inputs and outputs")
        }
        var rows = [[TensorValue]](repeating: [], count: scanned)
        var iteration = 0
        while holds, iteration < limit {
            let results = try call.run(
                "body", [.tensor(.scalar(iteration)), .tensor(.scalar(holds))] + carried)
            holds = try results[0].tensor().integer() != 0
            carried = Array(results[1...carried.count])
            for index in 0..<scanned { rows[index].append(try results[1 + carried.count + index].tensor()) }
            iteration += 1
        }
        return try carried
            + rows.enumerated().map { index, rows in
                .tensor(try scan(rows, axis: 0, of: body.outputs[1 + carried.count + index]))
            }
    }

    /// What a body's output gives in all iterations, along a new axis. Without any iteration the type and the extents
    /// are those that the body states.
    static func scan(_ rows: [TensorValue], axis: Int, of info: ValueInfo) throws -> TensorValue {
        if !rows.isEmpty {
            // An axis from the end counts with the new axis.
            return try TensorValue.stacked(
                rows, axis: Axes.normalized(axis, rank: rows[0].shape.count + 1))
        }
        guard let type = info.tensorType, let element = ElementType(rawValue: type.elementTypeNumber) else {
            throw ExecutionError.unsupported("no iteration gives \(info.name ?? ""), and its type is not stated")
        }
        var extents = (type.shape ?? []).map { if case .fixed(let extent) = $0 { max(0, Int(extent)) } else { 0 } }
        extents.insert(0, at: try Axes.normalized(axis, rank: extents.count + 1))
        if element == .string { return try TensorValue(strings: [], shape: extents) }
        return try TensorValue(type: element, shape: extents)
    }
}
