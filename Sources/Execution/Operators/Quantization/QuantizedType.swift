internal import ConverterKit

/// A number type that quantized values lie in.
protocol IntegerElement: Element, FixedWidthInteger {}

extension Int8: IntegerElement {}
extension UInt8: IntegerElement {}
extension Int16: IntegerElement {}
extension UInt16: IntegerElement {}
extension Int32: IntegerElement {}

extension ElementType {
    /// The integers that a quantized value may be; `nil` for types that nothing is quantized to.
    var quantizedRange: ClosedRange<Int32>? {
        switch self {
        case .int8: -128...127
        case .uint8: 0...255
        case .int16: -32768...32767
        case .uint16: 0...65535
        case .int4: -8...7
        case .uint4: 0...15
        case .int2: -2...1
        case .uint2: 0...3
        default: nil
        }
    }

    /// The Swift type of quantized values and of their sums. Throws `execution.type` for other types.
    func integerElement(_ operation: String) throws -> any IntegerElement.Type {
        switch storage {
        case .int8: return Int8.self
        case .uint8: return UInt8.self
        case .int16: return Int16.self
        case .uint16: return UInt16.self
        case .int32: return Int32.self
        default: throw ExecutionError.type("\(operation) is not defined for \(self)")
        }
    }
}

/// From real numbers to quantized ones: `q = clamp(round(x / scale) + zero)`, ties to even.
struct Quantizer {
    let scale: Float
    let zero: Int32
    /// Bounds of the rounded quotient.
    private let low: Float
    private let high: Float

    init(scale: Float, zero: Int32, range: ClosedRange<Int32>) {
        (self.scale, self.zero) = (scale, zero)
        (low, high) = (Float(range.lowerBound - zero), Float(range.upperBound - zero))
    }

    /// Adding and subtracting it leaves a whole number, rounded to even; bounds are far below.
    private static let magic: Float = 0x1.8p23

    /// Not a number gives the least.
    @inline(__always)
    func quantize(_ x: Float) -> Int32 { rounded(x / scale) }

    /// Of a number that is divided by the scale already.
    @inline(__always)
    func rounded(_ quotient: Float) -> Int32 {
        let raised = quotient > low ? quotient : low
        let bounded = raised < high ? raised : high
        return Int32((bounded + Self.magic) - Self.magic) + zero
    }

    @unsafe func quantize<Q: IntegerElement>(
        _ x: UnsafePointer<Float>, _ count: Int, into y: UnsafeMutablePointer<Q>
    ) {
        for index in 0..<count { unsafe y[index] = Q(truncatingIfNeeded: quantize(x[index])) }
    }
}

/// Scale and zero point of a whole tensor, by their inputs.
struct Quantization: Sendable {
    let type: ElementType
    let range: ClosedRange<Int32>
    let scale: Int
    let zero: Int

    /// Throws unless the scale is one number of single precision, and the zero point one of a type for quantized values.
    init(_ preparation: Preparation, type: ElementType, scale: Int, zero: Int) throws {
        guard let range = type.quantizedRange else {
            throw ExecutionError.type("\(preparation.operation) is not defined for \(type)")
        }
        let fact = try preparation.fact(scale)
        guard fact.type.storage == .float, fact.count == 1 else {
            throw ExecutionError.shape("\(preparation.operation) has a scale of \(fact.type) \(fact.shape)")
        }
        if preparation.isStated(zero) {
            let fact = try preparation.fact(zero)
            guard fact.type == type, fact.count == 1 else {
                throw ExecutionError.shape("\(preparation.operation) has a zero point of \(fact.type) \(fact.shape)")
            }
        }
        (self.type, self.range, self.scale, self.zero) = (type, range, scale, zero)
    }

    func scale(_ arguments: KernelArguments) -> Float { unsafe arguments.input(scale, Float.self)[0] }

    func zero<Q: IntegerElement>(_ arguments: KernelArguments, _: Q.Type) -> Int32 {
        unsafe arguments.optionalInput(zero, Q.self).map { unsafe Int32(truncatingIfNeeded: $0[0]) } ?? 0
    }

    func quantizer<Q: IntegerElement>(_ arguments: KernelArguments, _: Q.Type) -> Quantizer {
        Quantizer(scale: scale(arguments), zero: zero(arguments, Q.self), range: range)
    }

    /// The real numbers of an input.
    @unsafe func read(_ arguments: KernelArguments, _ input: Int, _ count: Int, into y: UnsafeMutablePointer<Float>) {
        func read<Q: IntegerElement>(_: Q.Type) {
            let x = unsafe arguments.input(input, Q.self)
            let (scale, zero) = (scale(arguments), zero(arguments, Q.self))
            arguments.pool.split(count, grain: 1 << 14) { part in
                for index in part { unsafe y[index] = Float(Int32(truncatingIfNeeded: x[index]) &- zero) * scale }
            }
        }
        switch type.storage {
        case .int8: read(Int8.self)
        case .uint8: read(UInt8.self)
        case .int16: read(Int16.self)
        default: read(UInt16.self)
        }
    }

    /// Quantizes real numbers into output 0.
    @unsafe func write(_ arguments: KernelArguments, _ x: UnsafePointer<Float>, _ count: Int) {
        func write<Q: IntegerElement>(_: Q.Type) {
            let (y, quantizer) = unsafe (arguments.output(0, Q.self), quantizer(arguments, Q.self))
            arguments.pool.split(count, grain: 1 << 14) { part in
                unsafe quantizer.quantize(x + part.lowerBound, part.count, into: y + part.lowerBound)
            }
        }
        switch type.storage {
        case .int8: write(Int8.self)
        case .uint8: write(UInt8.self)
        case .int16: write(Int16.self)
        default: write(UInt16.self)
        }
    }
}
