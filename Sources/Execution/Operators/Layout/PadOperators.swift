internal import ConverterKit

/// Pad and CenterCropPad.
enum PadOperators {
    static let all = [pad, centerCropPad]

    /// Elements put before and behind each axis: a constant, or those of the tensor again. Negative ones are cut off.
    static let pad = Operator(
        "Pad",
        gradient: { context in
            let preparation = try context.preparation()
            guard !context.wants(2) else { throw ExecutionError.noGradient("the value of Pad has no gradient here") }
            let widths = try Widths(preparation)
            let mode = preparation.attributes.string("mode") ?? "constant"
            if mode == "constant" { return [try inverse(context, widths)] }
            var gradient = try context.gradient()
            var shape = try context.shape(gradient)
            let original = try preparation.shape(0)
            for axis in original.indices where shape[axis] != original[axis] || widths.before[axis] != 0 {
                let map = try indices(mode, original[axis], widths.before[axis], widths.after[axis])
                shape[axis] = original[axis]
                gradient = try context.emit(
                    "GatherGradient", domain: "rene", [gradient, context.program.constant(map)],
                    ["axis": axis, "shape": shape])
            }
            return [gradient]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let widths = try Widths(preparation)
            let mode = preparation.attributes.string("mode") ?? "constant"
            let shape = try widths.padded(fact.shape)
            let result = TensorFact(type: fact.type, shape: shape)
            if shape == fact.shape, widths.before.allSatisfy({ $0 == 0 }) { return .view(result) }
            if mode == "constant" {
                let isOld = preparation.version < 11
                guard try isOld || !preparation.isStated(2) || preparation.fact(2).count == 1 else {
                    throw ExecutionError.shape("the value of Pad is a tensor of \(try preparation.shape(2))")
                }
                return try constant(
                    result, fact.shape, widths,
                    value: isOld ? preparation.attributes.float("value", otherwise: 0) : 0,
                    valueInput: isOld || !preparation.isStated(2) ? nil : 2)
            }
            let maps = try fact.shape.indices.map {
                try indices(mode, fact.shape[$0], widths.before[$0], widths.after[$0])
            }
            let copy = MappedCopy(extents: fact.shape, maps: maps, elementSize: try fact.elementSize())
            return Prepared([result]) { arguments in
                unsafe copy.run(from: arguments.bytes(of: 0), to: arguments.outputBytes(), pool: arguments.pool)
            }
        })

    /// The middle of each axis cut out, or put in the middle of zeros, to reach a shape.
    static let centerCropPad = Operator(
        "CenterCropPad",
        gradient: { context in [try inverse(context, centered(context.preparation()))] },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let widths = try centered(preparation)
            let shape = try widths.padded(fact.shape)
            let result = TensorFact(type: fact.type, shape: shape)
            if shape == fact.shape { return .view(result) }
            return try constant(result, fact.shape, widths, value: 0, valueInput: nil)
        })

    /// By axis, elements before and behind.
    struct Widths {
        var before: [Int]
        var after: [Int]

        init(_ preparation: Preparation) throws {
            let rank = try preparation.shape(0).count
            let isOld = preparation.version < 11
            let attributes = preparation.attributes
            guard
                let pads = try isOld ? attributes.ints("pads") ?? attributes.ints("paddings") : preparation.integers(1)
            else { throw ExecutionError.missingInput("pads of Pad") }
            let axes = try preparation.version >= 18 ? preparation.integers(3) : nil
            let named = try (axes ?? Array(0..<rank)).map { try Axes.normalized($0, rank: rank) }
            guard pads.count == 2 * named.count, Set(named).count == named.count else {
                throw ExecutionError.shape("pads \(pads) of \(named.count) axes")
            }
            before = [Int](repeating: 0, count: rank)
            after = before
            for (position, axis) in named.enumerated() {
                (before[axis], after[axis]) = (pads[position], pads[position + named.count])
            }
        }

        init(before: [Int], after: [Int]) { (self.before, self.after) = (before, after) }

        func padded(_ shape: [Int]) throws -> [Int] {
            let result = try shape.indices.map { axis -> Int in
                let (first, tooMuch) = shape[axis].addingReportingOverflow(before[axis])
                let (extent, overflow) = first.addingReportingOverflow(after[axis])
                guard !tooMuch, !overflow, extent >= 0, before[axis].magnitude <= 1 << 40 else {
                    throw ExecutionError.shape("\(shape) is padded by \(before) and \(after)")
                }
                return extent
            }
            _ = try result.elementCount()
            return result
        }
    }

    private static func centered(_ preparation: Preparation) throws -> Widths {
        let shape = try preparation.shape(0)
        guard let wanted = try preparation.integers(1) else {
            throw ExecutionError.missingInput("shape of CenterCropPad")
        }
        let axes = preparation.attributes.ints("axes") ?? Array(shape.indices)
        guard axes.count == wanted.count, wanted.allSatisfy({ $0 >= 0 }) else {
            throw ExecutionError.shape("CenterCropPad to \(wanted) along \(axes)")
        }
        var widths = Widths(
            before: [Int](repeating: 0, count: shape.count), after: [Int](repeating: 0, count: shape.count))
        for (axis, extent) in zip(axes, wanted) {
            let axis = try Axes.normalized(axis, rank: shape.count)
            widths.before[axis] = (extent - shape[axis]) / 2
            widths.after[axis] = extent - shape[axis] - widths.before[axis]
        }
        return widths
    }

    /// The gradient of a padding by constants: cut off what was put on, zeros where was cut off.
    private static func inverse(_ context: GradientContext, _ widths: Widths) throws -> ValueID {
        let pads = (widths.before + widths.after).map { -$0 }
        return try context.emit("Pad", [context.gradient(), context.program.constant(pads)])
    }

    private static func constant(
        _ result: TensorFact, _ shape: [Int], _ widths: Widths, value: Float, valueInput: Int?
    ) throws -> Prepared {
        let region = SliceRegion(
            starts: widths.before.map { max(0, -$0) }, steps: [Int](repeating: 1, count: shape.count),
            extents: shape.indices.map {
                max(0, shape[$0] + min(0, widths.before[$0]) + min(0, widths.after[$0]))
            })
        let (outside, inside) = (shape.rowMajorStrides, result.shape.rowMajorStrides)
        let axes = shape.indices.map {
            StridedCopy.Axis(extent: region.extents[$0], from: outside[$0], to: inside[$0])
        }
        let copy = StridedCopy(
            axes, fromOffset: zip(region.starts, outside).reduce(0) { $0 + $1.0 * $1.1 },
            toOffset: shape.indices.reduce(0) { $0 + max(0, widths.before[$1]) * inside[$1] },
            elementSize: try result.elementSize())
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let to = unsafe arguments.output(0, T.self)
                let filler = valueInput.map { unsafe arguments.input($0, T.self)[0] } ?? T(clamping: Double(value))
                if copy.count < result.count { unsafe Fill.repeating(filler, to, count: result.count, arguments.pool) }
                unsafe copy.run(from: arguments.bytes(of: 0), to: arguments.outputBytes(), pool: arguments.pool)
            }
        }
        guard let element = result.type.storage?.element else {
            throw ExecutionError.unsupported("Pad of \(result.type)")
        }
        return make(element)
    }

    /// For each index of a padded axis the one that it repeats.
    private static func indices(_ mode: String, _ extent: Int, _ before: Int, _ after: Int) throws -> [Int] {
        let range = 0..<max(0, extent + before + after)
        guard extent > 0 || range.isEmpty else { throw ExecutionError.shape("Pad of an empty axis with its elements") }
        switch mode {
        case "edge": return range.map { min(max($0 - before, 0), extent - 1) }
        case "wrap": return range.map { (($0 - before) % extent + extent) % extent }
        case "reflect":
            let period = max(1, 2 * (extent - 1))
            return range.map { index in
                let position = ((index - before) % period + period) % period
                return min(position, period - position) % extent
            }
        default: throw ExecutionError.attribute("there is no mode \(mode) of Pad")
        }
    }
}
