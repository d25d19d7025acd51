internal import CKernels
internal import ConverterKit

/// Clip: min(max(x, low), high), bounds as attributes before version 11 and as inputs from then on. Without a bound
/// there is none. Where low > high the result is high.
enum ClipOperators {
    static let all = [clip, clipGradient]

    static let clip = Operator(
        "Clip",
        gradient: { context in
            let bounds = [1, 2].map { context.inputs.indices.contains($0) ? context.inputs[$0] : nil }
            return [
                try context.emit(
                    "ClipGradient", domain: "rene", [context.gradient(), context.input(0)] + bounds, context.attributes)
            ]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let (storage, element) = try preparation.storage(fact.type)
            try checkBounds(preparation, first: 1, fact.type)
            let attributes = preparation.attributes
            func make<T: Element>(_: T.Type) -> Kernel {
                let (low, high) = (bound(attributes, "min", T.self), bound(attributes, "max", T.self))
                return { arguments in
                    let x = unsafe arguments.input(0, T.self)
                    let y = unsafe arguments.output(0, T.self)
                    let low = unsafe arguments.optionalInput(1, T.self)?.pointee ?? low
                    let high = unsafe arguments.optionalInput(2, T.self)?.pointee ?? high
                    arguments.pool.split(fact.count, grain: BroadcastLoops.grain) { range in
                        for index in range {
                            var value = unsafe x[index]
                            if let low, value < low { value = low }
                            if let high, value > high { value = high }
                            unsafe y[index] = value
                        }
                    }
                }
            }
            return Prepared(
                [fact], overwritable: [0], kernel: storage == .float ? floats(attributes, fact.count) : make(element))
        })

    private static func bound<T: Element>(_ attributes: AttributeList, _ name: String, _: T.Type) -> T? {
        attributes.float(name).map { T(clamping: Double($0)) }
    }

    private static func checkBounds(_ preparation: Preparation, first: Int, _ type: ElementType) throws {
        for index in [first, first + 1] where preparation.isStated(index) {
            let bound = try preparation.fact(index)
            guard bound.type == type else { throw ExecutionError.type("Clip of \(type) to bounds of \(bound.type)") }
            guard bound.count == 1 else { throw ExecutionError.shape("Clip to a bound of \(bound.shape)") }
        }
    }

    private static func floats(_ attributes: AttributeList, _ count: Int) -> Kernel {
        let (low, high) = (bound(attributes, "min", Float.self), bound(attributes, "max", Float.self))
        return { arguments in
            let x = unsafe arguments.input(0, Float.self)
            let y = unsafe arguments.output(0, Float.self)
            let low = unsafe arguments.optionalInput(1, Float.self)?.pointee ?? low ?? -.infinity
            let high = unsafe arguments.optionalInput(2, Float.self)?.pointee ?? high ?? .infinity
            arguments.pool.split(count, grain: BroadcastLoops.grain) { range in
                unsafe rene_clip(y + range.lowerBound, x + range.lowerBound, low, high, range.count)
            }
        }
    }

    /// dy where low < x < high, else 0; of (dy, x, low, high).
    static let clipGradient = Operator("ClipGradient", domain: "rene") { preparation in
        let (gradient, fact) = (try preparation.fact(0), try preparation.fact(1))
        let (storage, element) = try preparation.storage(fact.type)
        guard gradient == fact else {
            throw ExecutionError.shape("ClipGradient of \(gradient.shape) and \(fact.shape)")
        }
        try checkBounds(preparation, first: 2, fact.type)
        let attributes = preparation.attributes
        func make<T: Element>(_: T.Type) -> Kernel {
            let (low, high) = (bound(attributes, "min", T.self), bound(attributes, "max", T.self))
            return { arguments in
                let gradient = unsafe arguments.input(0, T.self)
                let x = unsafe arguments.input(1, T.self)
                let y = unsafe arguments.output(0, T.self)
                let low = unsafe arguments.optionalInput(2, T.self)?.pointee ?? low
                let high = unsafe arguments.optionalInput(3, T.self)?.pointee ?? high
                arguments.pool.split(fact.count, grain: BroadcastLoops.grain) { range in
                    for index in range {
                        let value = unsafe x[index]
                        let isInside = (low.map { value > $0 } ?? true) && (high.map { value < $0 } ?? true)
                        unsafe y[index] = isInside ? gradient[index] : T.zero
                    }
                }
            }
        }
        let (low, high) = (bound(attributes, "min", Float.self), bound(attributes, "max", Float.self))
        let floats: Kernel = { arguments in
            let gradient = unsafe arguments.input(0, Float.self)
            let x = unsafe arguments.input(1, Float.self)
            let y = unsafe arguments.output(0, Float.self)
            let low = unsafe arguments.optionalInput(2, Float.self)?.pointee ?? low ?? -.infinity
            let high = unsafe arguments.optionalInput(3, Float.self)?.pointee ?? high ?? .infinity
            arguments.pool.split(fact.count, grain: BroadcastLoops.grain) { range in
                let start = range.lowerBound
                unsafe rene_clip_gradient(y + start, gradient + start, x + start, low, high, range.count)
            }
        }
        return Prepared([fact], overwritable: [0], kernel: storage == .float ? floats : make(element))
    }
}
