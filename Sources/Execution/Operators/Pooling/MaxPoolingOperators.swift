internal import ConverterKit

/// The largest element of each window.
enum MaxPoolingOperators {
    static let all = [maxPool, gradientOperator, maxUnpool]

    /// X `[batch, channels, axes…]` to Y, and where in X each element of Y comes from: flattened over all of X, the pixels
    /// of a plane column by column with `storage_order` 1.
    static let maxPool = Operator("MaxPool", gradient: gradient) { preparation in
        let fact = try preparation.fact(0)
        let window = try PoolingWindow(preparation.attributes, input: fact.shape)
        let shape = Array(fact.shape[..<2]) + window.output
        let output = TensorFact(type: fact.type, shape: shape)
        let byColumns = preparation.attributes.int("storage_order", otherwise: 0) != 0
        let planes = fact.shape[0] * fact.shape[1]
        let element = try fact.numericElement("MaxPool")
        let grain = max(1, (1 << 14) / max(1, window.outputPlane * window.taps))
        func make<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(planes, grain: grain) { range in
                    for plane in range {
                        unsafe window.maxima(
                            of: x + plane * window.inputPlane, into: y + plane * window.outputPlane)
                    }
                }
            }
        }
        func makeWithIndices<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                let indices = unsafe arguments.output(1, Int64.self)
                arguments.pool.split(planes, grain: grain) { range in
                    for plane in range {
                        let start = plane * window.outputPlane
                        unsafe window.maxima(
                            of: x + plane * window.inputPlane, into: y + start, places: indices + start)
                        for place in start..<start + window.outputPlane {
                            let index = unsafe max(0, Int(indices[place]))
                            let ordered = byColumns ? Self.byColumns(index, window.input) : index
                            unsafe indices[place] = Int64(plane * window.inputPlane + ordered)
                        }
                    }
                }
            }
        }
        guard preparation.isWanted(1) else { return Prepared([output], kernel: make(element)) }
        return Prepared([output, TensorFact(type: .int64, shape: shape)], kernel: makeWithIndices(element))
    }

    private static func byColumns(_ index: Int, _ extents: [Int]) -> Int {
        var (rest, scale, result) = (index, extents.reduce(1, *), 0)
        for extent in extents.reversed() {
            scale /= extent
            result += rest % extent * scale
            rest /= extent
        }
        return result
    }

    /// `∂X` from `∂Y` and X: each window's gradient goes to its largest pixel. The attributes are those of MaxPool.
    static let gradientOperator = Operator("MaxPoolGradient", domain: "rene") { preparation in
        let (dy, x) = (try preparation.fact(0), try preparation.fact(1))
        let window = try PoolingWindow(preparation.attributes, input: x.shape)
        guard dy == TensorFact(type: x.type, shape: Array(x.shape[..<2]) + window.output) else {
            throw ExecutionError.shape("MaxPoolGradient of \(dy.shape) and \(x.shape)")
        }
        let planes = x.shape[0] * x.shape[1]
        let row = Arena.rounded(window.outputPlane * 8)
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (dy, x) = unsafe (arguments.input(0, T.self), arguments.input(1, T.self))
                let (dx, scratch) = unsafe (arguments.output(0, T.self), arguments.scratch(UInt8.self))
                arguments.pool.run { part, parts in
                    let own = unsafe UnsafeMutableRawPointer(scratch + 2 * row * part)
                    let maxima = unsafe own.assumingMemoryBound(to: T.self)
                    let places = unsafe (own + row).assumingMemoryBound(to: Int.self)
                    for plane in planes * part / parts..<planes * (part + 1) / parts {
                        unsafe window.maxima(of: x + plane * window.inputPlane, into: maxima, places: places)
                        let (to, from) = unsafe (dx + plane * window.inputPlane, dy + plane * window.outputPlane)
                        unsafe to.update(repeating: 0, count: window.inputPlane)
                        for place in 0..<window.outputPlane {
                            let index = unsafe places[place]
                            if index >= 0 { unsafe to[index] += from[place] }
                        }
                    }
                }
            }
        }
        return Prepared(
            [x], scratch: 2 * row * preparation.threads, kernel: make(try x.realElement("MaxPoolGradient")))
    }

    private static let gradient: GradientRule = { context in
        [
            try context.emit(
                "MaxPoolGradient", domain: "rene", [context.gradient(), context.input(0)], context.attributes)
        ]
    }

    /// Puts the elements of X where the indices of a MaxPool say, in a tensor of zeros of its input's extents.
    static let maxUnpool = Operator("MaxUnpool") { preparation in
        let (fact, indices) = (try preparation.fact(0), try preparation.fact(1))
        guard fact.shape == indices.shape, indices.type == .int64, fact.shape.count >= 3 else {
            throw ExecutionError.shape("MaxUnpool of \(fact.shape) with indices of \(indices.type) \(indices.shape)")
        }
        let window = try WindowAttributes(preparation.attributes, rank: fact.shape.count - 2)
        let pads = window.explicitPads
        let rank = window.kernel.count
        // The indices count in these extents, whatever larger ones the output is asked to have.
        let inner =
            try Array(fact.shape[..<2])
            + (0..<rank).map { axis in
                let extent = fact.shape[axis + 2]
                guard extent < WindowAttributes.limit else { throw ExecutionError.shape("MaxUnpool of \(fact.shape)") }
                return (extent - 1) * window.strides[axis] + window.kernel[axis] - pads[axis] - pads[axis + rank]
            }
        let shape = try preparation.integers(2) ?? inner
        guard shape.count == inner.count, zip(shape, inner).allSatisfy({ $0 >= $1 && $1 > 0 }) else {
            throw ExecutionError.shape("MaxUnpool of \(fact.shape) to \(shape)")
        }
        let count = try shape.elementCount()
        let limit = try inner.elementCount()
        let strides = shape.rowMajorStrides
        func make<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                let (x, places) = unsafe (arguments.input(0, T.self), arguments.input(1, Int64.self))
                let y = unsafe arguments.output(0, T.self)
                unsafe y.update(repeating: T.zero, count: count)
                for index in 0..<fact.count {
                    var rest = unsafe Int(places[index])
                    guard rest >= 0, rest < limit else {
                        throw ExecutionError.shape("MaxUnpool puts an element at \(rest) of \(limit)")
                    }
                    var place = 0
                    for axis in inner.indices.reversed() {
                        place += rest % inner[axis] * strides[axis]
                        rest /= inner[axis]
                    }
                    unsafe y[place] = x[index]
                }
            }
        }
        return Prepared(
            [TensorFact(type: fact.type, shape: shape)], kernel: make(try fact.numericElement("MaxUnpool")))
    }
}
