internal import ConverterKit

/// A loop over the elements of tensors along an axis.
///
///     (state…, scanned…) = body(state…, elements…)
enum ScanOperators {
    static let all = [scan]

    static let scan = Operator(evaluating: "Scan") { call in
        call.version < 9 ? try batched(call) : try unbatched(call)
    }

    /// Since version 9: axes and directions for each scanned input and output.
    private static func unbatched(_ call: Evaluation) throws -> [RuntimeValue?] {
        let scans = try scanInputs(call, of: call.inputs.count)
        let states = call.inputs.count - scans
        let inputs = try (states..<call.inputs.count).map { try call.tensor($0) }
        let form = Form(
            inputAxes: try stated(call, "scan_input_axes", scans),
            inputDirections: try stated(call, "scan_input_directions", scans), call: call, states: states)
        return try run(call, form, try (0..<states).map { try call.value($0) }, inputs, length: nil)
    }

    /// Version 8: axis 0 is a batch, axis 1 is scanned, and input 0 may say how far.
    private static func batched(_ call: Evaluation) throws -> [RuntimeValue?] {
        let scans = try scanInputs(call, of: call.inputs.count - 1)
        let states = call.inputs.count - 1 - scans
        let form = Form(
            inputAxes: [Int](repeating: 0, count: scans), inputDirections: try stated(call, "directions", scans),
            call: call, states: states)
        let inputs = try (1..<call.inputs.count).map { try call.tensor($0) }
        guard let batch = inputs.first?.shape.first, inputs.allSatisfy({ $0.shape.first == batch }), batch > 0,
            inputs[states...].allSatisfy({ $0.shape.count > 1 })
        else { throw ExecutionError.shape("the inputs of Scan are of different batches") }
        let lengths = try call.optionalTensor(0)?.integers()
        guard lengths.map({ $0.count == batch }) ?? true else {
            throw ExecutionError.shape("Scan has \(lengths?.count ?? 0) lengths for a batch of \(batch)")
        }
        let rows = try (0..<batch).map { row in
            let members = try inputs.map { try $0.slice(axis: 0, at: row) }
            let length = members[states].shape[0]
            let results = try run(
                call, form, members[..<states].map { .tensor($0) }, Array(members[states...]), length: lengths?[row])
            return try results.enumerated().map { index, value in
                guard let value = try value?.tensor() else { throw ExecutionError.internal("Scan misses a result") }
                return index < states ? value : try padded(value, to: length)
            }
        }
        return try (0..<call.wanted.count).map { index in
            guard rows.allSatisfy({ index < $0.count }) else { return nil }
            return .tensor(try TensorValue.stacked(rows.map { $0[index] }, axis: 0))
        }
    }

    private struct Form {
        var inputAxes: [Int]
        var inputDirections: [Int]
        var outputAxes: [Int]
        var outputDirections: [Int]

        init(inputAxes: [Int], inputDirections: [Int], call: Evaluation, states: Int) {
            (self.inputAxes, self.inputDirections) = (inputAxes, inputDirections)
            outputAxes = call.attributes.ints("scan_output_axes") ?? []
            outputDirections = call.attributes.ints("scan_output_directions") ?? []
        }
    }

    private static func scanInputs(_ call: Evaluation, of available: Int) throws -> Int {
        guard let count = call.attributes.int("num_scan_inputs"), count > 0, count <= available else {
            throw ExecutionError.attribute("Scan does not say how many inputs it scans")
        }
        return count
    }

    private static func stated(_ call: Evaluation, _ name: String, _ count: Int) throws -> [Int] {
        guard let values = call.attributes.ints(name) else { return [Int](repeating: 0, count: count) }
        guard values.count == count else {
            throw ExecutionError.attribute("\(name) of Scan has \(values.count) values for \(count) inputs")
        }
        return values
    }

    private static func run(
        _ call: Evaluation, _ form: Form, _ initial: [RuntimeValue], _ inputs: [TensorValue], length: Int?
    ) throws -> [RuntimeValue?] {
        guard let body = call.use.subgraphs["body"]?.graph else { throw ExecutionError.attribute("Scan has no body") }
        let scanned = body.outputs.count - initial.count
        guard scanned >= 0, body.inputs.count == initial.count + inputs.count else {
            throw ExecutionError.attribute("the body of Scan does not have the inputs and outputs of the node")
        }
        let axes = try zip(form.inputAxes, inputs).map { axis, input in
            guard !input.shape.isEmpty else { throw ExecutionError.shape("Scan of a scalar") }
            return try Axes.normalized(axis, rank: input.shape.count)
        }
        let extents = zip(axes, inputs).map { $1.shape[$0] }
        guard Set(extents).count == 1, let extent = extents.first, (0...extent).contains(length ?? extent) else {
            throw ExecutionError.shape("Scan over axes of the lengths \(extents)")
        }
        let count = length ?? extent
        var states = initial
        var rows = [[TensorValue]](repeating: [], count: scanned)
        for step in 0..<count {
            let elements = try inputs.indices.map { index -> RuntimeValue in
                let position = form.inputDirections[index] == 0 ? step : count - 1 - step
                return .tensor(try inputs[index].slice(axis: axes[index], at: position))
            }
            let results = try call.run("body", states + elements)
            states = Array(results[..<states.count])
            for index in 0..<scanned { rows[index].append(try results[states.count + index].tensor()) }
        }
        return try states
            + (0..<scanned).map { index in
                let isReversed = form.outputDirections.indices.contains(index) && form.outputDirections[index] != 0
                let axis = form.outputAxes.indices.contains(index) ? form.outputAxes[index] : 0
                return .tensor(
                    try ControlOperators.scan(
                        isReversed ? rows[index].reversed() : rows[index], axis: axis,
                        of: body.outputs[states.count + index]))
            }
    }

    /// Zeros after the elements that a short sequence has.
    private static func padded(_ value: TensorValue, to length: Int) throws -> TensorValue {
        guard value.shape[0] < length else { return value }
        var shape = value.shape
        shape[0] = length - value.shape[0]
        return try TensorValue.concatenated([value, TensorValue(type: value.type, shape: shape)], axis: 0)
    }
}
