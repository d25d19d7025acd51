internal import CKernels
internal import ConverterKit

/// `rene::Elementwise`: a tree of elementwise operations at once, over tiles that stay in the first cache. Its
/// attributes are those of `ElementwiseExpression`; inputs have the result's extents, one element, or are repeated
/// along leading or trailing axes.
enum FusedElementwise {
    static let all = [operation]

    static let key = OperatorKey(domain: "rene", name: "Elementwise")
    static let tile = 2048

    /// How element i of the result finds its element of an input: (i / every) mod count.
    enum Access: Equatable {
        case whole
        case scalar
        case repeated(every: Int, count: Int)

        /// `nil` for an input that is repeated in another way.
        init?(_ input: [Int], in shape: [Int]) {
            let count = input.reduce(1, *)
            if input == shape {
                self = .whole
                return
            }
            if count == 1, input.count <= shape.count {
                self = .scalar
                return
            }
            guard input.count <= shape.count, count > 0 else { return nil }
            let padded = [Int](repeating: 1, count: shape.count - input.count) + input
            guard let first = padded.firstIndex(where: { $0 != 1 }), let last = padded.lastIndex(where: { $0 != 1 }),
                padded[first...last] == shape[first...last]
            else { return nil }
            self = .repeated(every: shape[(last + 1)...].reduce(1, *), count: count)
            if count == shape.reduce(1, *) { self = .whole }
        }
    }

    static let operation = Operator("Elementwise", domain: "rene") { preparation in
        let facts = try preparation.inputs.indices.map { try preparation.fact($0) }
        guard facts.allSatisfy({ $0.type == .float32 }) else { throw preparation.unsuitable(.float32) }
        let shape = try BroadcastLoops.common(facts.map(\.shape))
        let expression = try ElementwiseExpression(preparation.attributes, inputCount: facts.count)
        let accesses = try facts.map { fact in
            guard let access = Access(fact.shape, in: shape) else {
                throw ExecutionError.shape("Elementwise of \(fact.shape) and \(shape)")
            }
            return access
        }
        let plan = try TilePlan(expression, accesses, count: shape.elementCount())
        return Prepared(
            [TensorFact(type: .float32, shape: shape)], scratch: plan.buffers * tile * preparation.threads * 4,
            overwritable: facts.indices.filter { accesses[$0] == .whole && facts[$0].shape == shape },
            kernel: plan.kernel(mostParts: preparation.threads))
    }
}

/// Where the operands of each step lie while one tile is worked on.
private struct TilePlan {
    enum Place {
        /// The tile's part of an input.
        case input(Int)
        case buffer(Int)
        /// The one element of an input.
        case scalar(Int)
        case constant(Float)
    }

    struct Step {
        var loop: ElementwiseOperation.Loop
        var a: Place
        var b: Place
        /// `nil` for the output.
        var buffer: Int?
    }

    var steps: [Step] = []
    /// Inputs that are repeated into a buffer before the steps.
    var fills: [(input: Int, buffer: Int, every: Int, count: Int)] = []
    var buffers: Int
    let count: Int

    init(_ expression: ElementwiseExpression, _ accesses: [FusedElementwise.Access], count: Int) throws {
        self.count = count
        let slots = expression.slots
        buffers = slots.count
        var places: [Place] = []
        for (index, access) in accesses.enumerated() {
            switch access {
            case .whole: places.append(.input(index))
            case .scalar: places.append(.scalar(index))
            case .repeated(let every, let count):
                fills.append((index, buffers, every, count))
                places.append(.buffer(buffers))
                buffers += 1
            }
        }
        // Loops of one operand, and those of two constants, read a vector.
        let spare = buffers
        buffers += 2
        for (index, step) in expression.steps.enumerated() {
            let operands = step.operands.map { operand -> Place in
                switch operand {
                case .input(let number): places[number]
                case .step(let number): .buffer(slots.bySteps[number])
                case .constant(let value): .constant(value)
                }
            }
            let buffer = index == expression.steps.count - 1 ? nil : slots.bySteps[index]
            steps.append(
                Step(
                    loop: step.operation.loop, a: operands[0], b: operands.count > 1 ? operands[1] : operands[0],
                    buffer: buffer))
        }
        spareBuffer = spare
    }

    private let spareBuffer: Int

    func kernel(mostParts: Int) -> Kernel {
        { arguments in
            let y = unsafe arguments.output(0, Float.self)
            let scratch = unsafe arguments.scratch(Float.self)
            let parts = min(mostParts, arguments.pool.width, max(1, count / BroadcastLoops.grain))
            func work(_ part: Int) {
                let memory = unsafe scratch + part * buffers * FusedElementwise.tile
                // Parts begin at tiles.
                let tiles = (count + FusedElementwise.tile - 1) / FusedElementwise.tile
                for number in part * tiles / parts..<(part + 1) * tiles / parts {
                    let start = number * FusedElementwise.tile
                    unsafe run(arguments, memory, y, start, min(FusedElementwise.tile, count - start))
                }
            }
            if parts == 1 { return work(0) }
            arguments.pool.run { part, _ in if part < parts { work(part) } }
        }
    }

    @unsafe private func run(
        _ arguments: KernelArguments, _ memory: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>,
        _ start: Int, _ length: Int
    ) {
        for fill in fills {
            unsafe Self.repeatElements(
                arguments.input(fill.input), into: memory + fill.buffer * FusedElementwise.tile, start, length,
                every: fill.every, count: fill.count)
        }
        func scalar(_ place: Place) -> Float? {
            switch place {
            case .scalar(let index): unsafe arguments.input(index, Float.self)[0]
            case .constant(let value): value
            case .input, .buffer: nil
            }
        }
        func vector(_ place: Place, spare: Int) -> UnsafePointer<Float> {
            switch place {
            case .input(let index): return unsafe arguments.input(index) + start
            case .buffer(let index): return unsafe UnsafePointer(memory + index * FusedElementwise.tile)
            case .scalar, .constant:
                let buffer = unsafe memory + (spareBuffer + spare) * FusedElementwise.tile
                unsafe rene_fill(buffer, scalar(place) ?? 0, length)
                return unsafe UnsafePointer(buffer)
            }
        }
        for step in steps {
            let to = unsafe step.buffer.map { unsafe memory + $0 * FusedElementwise.tile } ?? y + start
            switch step.loop {
            case .map(let map): unsafe map(to, vector(step.a, spare: 0), length)
            case .derivative(let derivative):
                unsafe derivative(to, vector(step.a, spare: 0), vector(step.b, spare: 1), length)
            case .binary(let binary):
                if let right = scalar(step.b) {
                    unsafe binary.rightScalar(to, vector(step.a, spare: 0), right, length)
                } else if let left = scalar(step.a) {
                    unsafe binary.leftScalar(to, vector(step.b, spare: 1), left, length)
                } else {
                    unsafe binary.pair(to, vector(step.a, spare: 0), vector(step.b, spare: 1), length)
                }
            }
        }
    }

    /// to[i] = from[((start + i) / every) mod count].
    @unsafe private static func repeatElements(
        _ from: UnsafePointer<Float>, into to: UnsafeMutablePointer<Float>, _ start: Int, _ length: Int, every: Int,
        count: Int
    ) {
        var done = 0
        if every == 1 {
            var place = start % count
            while done < length {
                let run = min(count - place, length - done)
                unsafe (to + done).update(from: from + place, count: run)
                done += run
                place = 0
            }
            return
        }
        var (element, within) = start.quotientAndRemainder(dividingBy: every)
        element %= count
        while done < length {
            let run = min(every - within, length - done)
            unsafe rene_fill(to + done, from[element], run)
            done += run
            within = 0
            element = element + 1 == count ? 0 : element + 1
        }
    }
}
