internal import ConverterKit

/// From real numbers to quantized ones and back.
enum QuantizeOperators {
    static let all =
        ["", "com.microsoft"].flatMap { domain in
            [
                Operator("QuantizeLinear", domain: domain, prepare: quantize),
                Operator("DequantizeLinear", domain: domain, prepare: dequantize),
            ]
        } + [Operator("DynamicQuantizeLinear", prepare: quantizeDynamically)]

    /// `y = clamp(round(x / scale) + zero)`.
    @Sendable private static func quantize(_ preparation: Preparation) throws -> Prepared {
        let (x, scale) = (try preparation.fact(0), try preparation.fact(1))
        guard x.type.storage == .float || x.type == .int32, scale.type.storage == .float else {
            throw ExecutionError.type("QuantizeLinear of \(x.type) with scales of \(scale.type)")
        }
        let type = try target(preparation)
        let layout = try ScaleLayout(preparation, shape: x.shape, scale: scale.shape)
        try checkZeroPoint(preparation, type: type, scale: scale)
        let fact = TensorFact(type: type, shape: x.shape)
        if let format = SmallFloatFormat(type) {
            guard x.type.storage == .float else { throw ExecutionError.type("QuantizeLinear of \(x.type) to \(type)") }
            let saturates = preparation.attributes.flag("saturate", otherwise: true)
            return Prepared([fact]) { arguments in
                let (from, scales) = unsafe (arguments.input(0, Float.self), arguments.input(1, Float.self))
                let to = unsafe arguments.output(0, Float.self)
                layout.forEachRun(arguments.pool) { run, first, isOwn in
                    for (offset, index) in run.enumerated() {
                        let scale = unsafe scales[isOwn ? first + offset : first]
                        unsafe to[index] = format.round(from[index] / scale, saturates: saturates)
                    }
                }
            }
        }
        guard let range = type.quantizedRange else {
            throw ExecutionError.unsupported("QuantizeLinear to \(type) is not executed")
        }
        func make<Q: IntegerElement>(_: Q.Type) -> Prepared {
            func from<X: Element>(_: X.Type) -> Prepared {
                Prepared([fact]) { arguments in
                    let (x, scales) = unsafe (arguments.input(0, X.self), arguments.input(1, Float.self))
                    let zeros = unsafe arguments.optionalInput(2, Q.self)
                    let y = unsafe arguments.output(0, Q.self)
                    func quantizer(_ index: Int) -> Quantizer {
                        unsafe Quantizer(
                            scale: scales[index], zero: zeros.map { unsafe Int32(truncatingIfNeeded: $0[index]) } ?? 0,
                            range: range)
                    }
                    layout.forEachRun(arguments.pool) { run, first, isOwn in
                        if isOwn {
                            for (offset, index) in run.enumerated() {
                                unsafe y[index] = Q(
                                    truncatingIfNeeded: quantizer(first + offset).quantize(Float(x[index].asDouble)))
                            }
                        } else if let x = unsafe x as? UnsafePointer<Float> {
                            unsafe quantizer(first).quantize(x + run.lowerBound, run.count, into: y + run.lowerBound)
                        } else {
                            let own = quantizer(first)
                            for index in run {
                                unsafe y[index] = Q(truncatingIfNeeded: own.quantize(Float(x[index].asDouble)))
                            }
                        }
                    }
                }
            }
            return x.type == .int32 ? from(Int32.self) : from(Float.self)
        }
        return make(try type.integerElement("QuantizeLinear"))
    }

    private static func target(_ preparation: Preparation) throws -> ElementType {
        if preparation.isStated(2) { return try preparation.type(2) }
        let number = preparation.attributes.int("output_dtype", otherwise: 0)
        if number == 0 { return .uint8 }
        guard let type = Int32(exactly: number).flatMap({ ElementType(rawValue: $0) }) else {
            throw ExecutionError.attribute("there is no element type \(number)")
        }
        return type
    }

    private static func checkZeroPoint(_ preparation: Preparation, type: ElementType, scale: TensorFact) throws {
        guard preparation.isStated(2) else { return }
        let zero = try preparation.fact(2)
        guard zero.type == type, zero.count == scale.count else {
            throw ExecutionError.shape(
                "\(preparation.operation) has zero points of \(zero.type) \(zero.shape) for scales of \(scale.shape)")
        }
    }

    /// `y = (x − zero) · scale`.
    @Sendable private static func dequantize(_ preparation: Preparation) throws -> Prepared {
        let (x, scale) = (try preparation.fact(0), try preparation.fact(1))
        let number = preparation.attributes.int("output_dtype", otherwise: 0)
        let type = number == 0 ? scale.type : Int32(exactly: number).flatMap { ElementType(rawValue: $0) }
        guard scale.type.storage == .float, let type, type.storage == .float else {
            throw ExecutionError.type("DequantizeLinear with scales of \(scale.type)")
        }
        let layout = try ScaleLayout(preparation, shape: x.shape, scale: scale.shape)
        try checkZeroPoint(preparation, type: x.type, scale: scale)
        let fact = TensorFact(type: type, shape: x.shape)
        if x.type.storage == .float {
            return Prepared([fact]) { arguments in
                let (from, scales) = unsafe (arguments.input(0, Float.self), arguments.input(1, Float.self))
                let to = unsafe arguments.output(0, Float.self)
                layout.forEachRun(arguments.pool) { run, first, isOwn in
                    for (offset, index) in run.enumerated() {
                        unsafe to[index] = from[index] * scales[isOwn ? first + offset : first]
                    }
                }
            }
        }
        func make<Q: IntegerElement>(_: Q.Type) -> Prepared {
            Prepared([fact]) { arguments in
                let (from, scales) = unsafe (arguments.input(0, Q.self), arguments.input(1, Float.self))
                let zeros = unsafe arguments.optionalInput(2, Q.self)
                let to = unsafe arguments.output(0, Float.self)
                layout.forEachRun(arguments.pool) { run, first, isOwn in
                    if isOwn {
                        for (offset, index) in run.enumerated() {
                            let zero = unsafe zeros.map { unsafe Int32(truncatingIfNeeded: $0[first + offset]) } ?? 0
                            unsafe to[index] =
                                Float(Int32(truncatingIfNeeded: from[index]) &- zero) * scales[first + offset]
                        }
                        return
                    }
                    let zero = unsafe zeros.map { unsafe Int32(truncatingIfNeeded: $0[first]) } ?? 0
                    let scale = unsafe scales[first]
                    for index in run {
                        unsafe to[index] = Float(Int32(truncatingIfNeeded: from[index]) &- zero) * scale
                    }
                }
            }
        }
        return make(try x.type.integerElement("DequantizeLinear"))
    }

    /// Scale and zero point from the range of the numbers, which is made to hold 0:
    ///
    ///     scale = (max − min) / 255,  zero = clamp(round(−min / scale)),  y = clamp(round(x / scale) + zero)
    @Sendable private static func quantizeDynamically(_ preparation: Preparation) throws -> Prepared {
        let fact = try preparation.fact(0)
        guard fact.type.storage == .float else { throw ExecutionError.type("DynamicQuantizeLinear of \(fact.type)") }
        let outputs = [
            TensorFact(type: .uint8, shape: fact.shape), TensorFact(type: .float32, shape: []),
            TensorFact(type: .uint8, shape: []),
        ]
        return Prepared(outputs) { arguments in
            let x = unsafe arguments.input(0, Float.self)
            var (low, high): (Float, Float) = (0, 0)
            for index in 0..<fact.count {
                let value = unsafe x[index]
                if value < low { low = value }
                if value > high { high = value }
            }
            let scale: Float = high == low ? 1 / 255 : (high - low) / 255
            let zero = Quantizer(scale: scale, zero: 0, range: 0...255).quantize(-low)
            let quantizer = Quantizer(scale: scale, zero: zero, range: 0...255)
            unsafe arguments.output(1, Float.self)[0] = scale
            unsafe arguments.output(2, UInt8.self)[0] = UInt8(truncatingIfNeeded: zero)
            let y = unsafe arguments.output(0, UInt8.self)
            arguments.pool.split(fact.count, grain: 1 << 14) { part in
                unsafe quantizer.quantize(x + part.lowerBound, part.count, into: y + part.lowerBound)
            }
        }
    }
}
