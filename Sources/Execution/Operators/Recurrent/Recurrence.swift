internal import ConverterKit
internal import LinearAlgebra

/// The steps of a recurrent layer. The products with the inputs of all steps are one matrix product; then the directions
/// and parts of the batch go through the steps side by side.
struct Recurrence: Sendable {
    enum Cell: Sendable {
        case lstm(joinsForget: Bool)
        case gru(isLinear: Bool)
        case rnn
    }

    let shape: RecurrentShape
    let cell: Cell
    /// By direction.
    let activations: [[GateActivation]]
    let clip: Float?

    private var projected: Int { shape.length * shape.batch * shape.rows }
    /// Of a direction: the products of a step, the state, the cell's state, and `r ⊙ H`.
    private var working: Int { shape.batch * (shape.rows + 3 * shape.hidden) }
    var scratchElements: Int { shape.directions * (projected + working + shape.rows) }

    /// Rows of the batch that are worth a thread of their own.
    private static let grain = 8

    /// Where a part of the batch in one direction finds its numbers.
    @safe struct Part {
        let arguments: KernelArguments
        let direction: Int
        let rows: Range<Int>
        let projections: UnsafeMutablePointer<Float>
        let gates: UnsafeMutablePointer<Float>
        let state: UnsafeMutablePointer<Float>
        let cellState: UnsafeMutablePointer<Float>
        let reset: UnsafeMutablePointer<Float>
    }

    func run(_ arguments: KernelArguments) {
        BLAS.withSingleThread { runInParts(arguments) }
    }

    private func runInParts(_ arguments: KernelArguments) {
        let scratch = unsafe arguments.scratch(Float.self)
        for direction in 0..<shape.directions {
            unsafe project(arguments, direction, scratch + direction * projected)
        }
        let parts = max(1, min(shape.batch / Self.grain, arguments.pool.width / shape.directions))
        arguments.pool.forEach(shape.directions * parts) { index in
            let (direction, part) = (index / parts, index % parts)
            let rows = part * shape.batch / parts..<(part + 1) * shape.batch / parts
            let own = unsafe scratch + shape.directions * projected + direction * working
            let states = unsafe own + shape.batch * shape.rows
            let plane = shape.batch * shape.hidden
            unsafe run(
                Part(
                    arguments: arguments, direction: direction, rows: rows,
                    projections: scratch + direction * projected, gates: own + rows.lowerBound * shape.rows,
                    state: states + rows.lowerBound * shape.hidden,
                    cellState: states + plane + rows.lowerBound * shape.hidden,
                    reset: states + 2 * plane + rows.lowerBound * shape.hidden))
        }
    }

    /// `X·Wᵀ + b` of all steps.
    private func project(_ arguments: KernelArguments, _ direction: Int, _ to: UnsafeMutablePointer<Float>) {
        let (rows, inputs) = (shape.rows, shape.inputs)
        let x = unsafe arguments.input(0, Float.self)
        let w = unsafe arguments.input(1, Float.self) + direction * rows * inputs
        let bias = unsafe arguments.optionalInput(3, Float.self).map { unsafe $0 + direction * 2 * rows }
        arguments.pool.split(shape.length * shape.batch, grain: 16) { part in
            let out = unsafe to + part.lowerBound * rows
            if let bias = unsafe bias {
                // The recurrent bias of a GRU's third gate comes before the reset where that is linear.
                let joined = if case .gru(isLinear: true) = cell { 2 * shape.hidden } else { rows }
                for row in 0..<part.count {
                    for column in 0..<rows {
                        unsafe out[row * rows + column] =
                            bias[column] + (column < joined ? bias[rows + column] : 0)
                    }
                }
            } else {
                unsafe out.update(repeating: 0, count: part.count * rows)
            }
            guard inputs > 0, rows > 0 else { return }
            unsafe Float.uncheckedGemm(
                transposeA: false, transposeB: true, m: Int32(part.count), n: Int32(rows), k: Int32(inputs), alpha: 1,
                a: x + part.lowerBound * inputs, lda: Int32(inputs), b: w, ldb: Int32(inputs), beta: 1, c: out,
                ldc: Int32(rows))
        }
    }

    /// `to ← H·Rᵀ` for some of the gates.
    private func multiply(
        _ part: Part, _ state: UnsafeMutablePointer<Float>, gates: Range<Int>
    ) {
        let hidden = shape.hidden
        guard hidden > 0 else { return }
        let r =
            unsafe part.arguments.input(2, Float.self)
            + (part.direction * shape.rows + gates.lowerBound * hidden) * hidden
        let to = unsafe part.gates + gates.lowerBound * hidden
        let columns = Int32(gates.count * hidden)
        if part.rows.count == 1 {
            // Not every BLAS takes a zero β as leave to overwrite what is no number.
            unsafe to.update(repeating: 0, count: Int(columns))
            unsafe Float.uncheckedGemv(
                transpose: false, rows: columns, columns: Int32(hidden), alpha: 1, a: r, lda: Int32(hidden), x: state,
                xStride: 1, beta: 0, y: to, yStride: 1)
        } else {
            unsafe Float.uncheckedGemm(
                transposeA: false, transposeB: true, m: Int32(part.rows.count), n: columns, k: Int32(hidden), alpha: 1,
                a: state, lda: Int32(hidden), b: r, ldb: Int32(hidden), beta: 0, c: to, ldc: Int32(shape.rows))
        }
    }

    private func steps(_ part: Part, _ row: Int) -> Int {
        guard let lengths = unsafe part.arguments.optionalInput(4, Int32.self) else { return shape.length }
        return unsafe min(max(Int(lengths[row]), 0), shape.length)
    }

    private func run(_ part: Part) {
        let hidden = shape.hidden
        for (position, row) in part.rows.enumerated() {
            unsafe load(part, input: 5, row, to: part.state + position * hidden)
            if case .lstm = cell { unsafe load(part, input: 6, row, to: part.cellState + position * hidden) }
        }
        let output = unsafe part.arguments.output(0, Float.self)
        for step in 0..<shape.length {
            if case .gru(isLinear: false) = cell {
                unsafe multiply(part, part.state, gates: 0..<2)
                for (position, row) in part.rows.enumerated() where step < steps(part, row) {
                    reset(part, position, row, step)
                }
                unsafe multiply(part, part.reset, gates: 2..<3)
            } else {
                unsafe multiply(part, part.state, gates: 0..<shape.gates)
            }
            for (position, row) in part.rows.enumerated() {
                let count = steps(part, row)
                if step < count {
                    switch cell {
                    case .lstm(let joins): lstm(part, position, row, step, joinsForget: joins)
                    case .gru(let isLinear): gru(part, position, row, step, isLinear: isLinear)
                    case .rnn: rnn(part, position, row, step)
                    }
                    unsafe (output + shape.outputOffset(time(part, row, step), part.direction, row))
                        .update(from: part.state + position * hidden, count: hidden)
                } else {
                    unsafe (output + shape.outputOffset(step, part.direction, row))
                        .update(repeating: 0, count: hidden)
                }
            }
        }
        for (position, row) in part.rows.enumerated() {
            let offset = shape.stateOffset(part.direction, row)
            unsafe (part.arguments.output(1, Float.self) + offset)
                .update(from: part.state + position * hidden, count: hidden)
            guard case .lstm = cell else { continue }
            unsafe (part.arguments.output(2, Float.self) + offset)
                .update(from: part.cellState + position * hidden, count: hidden)
        }
    }

    private func load(_ part: Part, input: Int, _ row: Int, to: UnsafeMutablePointer<Float>) {
        if let initial = unsafe part.arguments.optionalInput(input, Float.self) {
            unsafe to.update(from: initial + shape.stateOffset(part.direction, row), count: shape.hidden)
        } else {
            unsafe to.update(repeating: 0, count: shape.hidden)
        }
    }

    private func time(_ part: Part, _ row: Int, _ step: Int) -> Int {
        shape.isReversed[part.direction] ? steps(part, row) - 1 - step : step
    }

    /// Adds the input's part to some of a row's products.
    @discardableResult
    private func add(_ part: Part, _ position: Int, _ row: Int, _ step: Int, gates: Range<Int>)
        -> UnsafeMutablePointer<Float>
    {
        let own = unsafe part.gates + position * shape.rows
        let from = unsafe part.projections + shape.inputRow(time(part, row, step), row) * shape.rows
        for index in gates.lowerBound * shape.hidden..<gates.upperBound * shape.hidden {
            unsafe own[index] += from[index]
        }
        return unsafe own
    }

    private func activate(_ part: Part, _ function: Int, _ x: UnsafeMutablePointer<Float>, _ count: Int) {
        if let clip { for index in 0..<count { unsafe x[index] = min(max(x[index], -clip), clip) } }
        unsafe activations[part.direction][function].apply(x, count)
    }

    private func lstm(_ part: Part, _ position: Int, _ row: Int, _ step: Int, joinsForget: Bool) {
        let hidden = shape.hidden
        let input = unsafe add(part, position, row, step, gates: 0..<4)
        let (output, forget, candidate) = unsafe (input + hidden, input + 2 * hidden, input + 3 * hidden)
        let state = unsafe part.cellState + position * hidden
        let peepholes = unsafe part.arguments.optionalInput(7, Float.self).map {
            unsafe $0 + part.direction * 3 * hidden
        }
        if let peepholes = unsafe peepholes {
            for index in 0..<hidden {
                unsafe input[index] += peepholes[index] * state[index]
                unsafe forget[index] += peepholes[2 * hidden + index] * state[index]
            }
        }
        unsafe activate(part, 0, input, hidden)
        if joinsForget {
            for index in 0..<hidden { unsafe forget[index] = 1 - input[index] }
        } else {
            unsafe activate(part, 0, forget, hidden)
        }
        unsafe activate(part, 1, candidate, hidden)
        for index in 0..<hidden {
            unsafe state[index] = forget[index] * state[index] + input[index] * candidate[index]
        }
        if let peepholes = unsafe peepholes {
            for index in 0..<hidden { unsafe output[index] += peepholes[hidden + index] * state[index] }
        }
        unsafe activate(part, 0, output, hidden)
        let result = unsafe part.state + position * hidden
        unsafe result.update(from: state, count: hidden)
        unsafe activations[part.direction][2].apply(result, hidden)
        for index in 0..<hidden { unsafe result[index] *= output[index] }
    }

    /// The first two gates, and `r ⊙ H`.
    private func reset(_ part: Part, _ position: Int, _ row: Int, _ step: Int) {
        let hidden = shape.hidden
        let gates = unsafe add(part, position, row, step, gates: 0..<2)
        unsafe activate(part, 0, gates, 2 * hidden)
        let (state, to) = unsafe (part.state + position * hidden, part.reset + position * hidden)
        for index in 0..<hidden { unsafe to[index] = gates[hidden + index] * state[index] }
    }

    private func gru(_ part: Part, _ position: Int, _ row: Int, _ step: Int, isLinear: Bool) {
        let hidden = shape.hidden
        let update = unsafe part.gates + position * shape.rows
        let (reset, candidate) = unsafe (update + hidden, update + 2 * hidden)
        if isLinear {
            unsafe add(part, position, row, step, gates: 0..<2)
            unsafe activate(part, 0, update, 2 * hidden)
            let bias = unsafe part.arguments.optionalInput(3, Float.self).map {
                unsafe $0 + part.direction * 2 * shape.rows + shape.rows + 2 * hidden
            }
            for index in 0..<hidden {
                unsafe candidate[index] = reset[index] * (candidate[index] + (bias?[index] ?? 0))
            }
        }
        unsafe add(part, position, row, step, gates: 2..<3)
        unsafe activate(part, 1, candidate, hidden)
        let state = unsafe part.state + position * hidden
        for index in 0..<hidden {
            unsafe state[index] = (1 - update[index]) * candidate[index] + update[index] * state[index]
        }
    }

    private func rnn(_ part: Part, _ position: Int, _ row: Int, _ step: Int) {
        let gates = unsafe add(part, position, row, step, gates: 0..<1)
        unsafe activate(part, 0, gates, shape.hidden)
        unsafe (part.state + position * shape.hidden).update(from: gates, count: shape.hidden)
    }
}
