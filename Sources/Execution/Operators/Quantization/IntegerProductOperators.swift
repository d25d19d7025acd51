internal import ConverterKit
internal import LinearAlgebra

/// Products of matrices of integers less their zero points. Computed in double precision, where every sum is exact.
enum IntegerProductOperators {
    static let all = [matMulInteger, quantizedMatMul, quantizedGemm]

    ///     Y = (A − a₀)·(B − b₀) in 32 bits
    static let matMulInteger = Operator("MatMulInteger") { preparation in
        let form = try IntegerProduct(preparation, a: 0, aZero: 2, b: 1, bZero: 3)
        let fact = TensorFact(type: .int32, shape: form.layout.output)
        return Prepared([fact], scratch: form.scratch, macs: form.macs) { arguments in
            unsafe form.run(arguments)
            let (sums, y) = unsafe (form.sums(arguments), arguments.output(0, Int32.self))
            for index in 0..<fact.count { unsafe y[index] = Int32(truncatingIfNeeded: Int(sums[index])) }
        }
    }

    ///     Y = clamp(round((A − a₀)·(B − b₀)·(a·b/y)) + y₀)
    static let quantizedMatMul = Operator("QLinearMatMul") { preparation in
        let form = try IntegerProduct(preparation, a: 0, aZero: 2, b: 3, bZero: 5)
        let type = try preparation.type(7)
        return try requantized(preparation, form, aScale: 1, bScale: 4, yScale: 6, yZero: 7, type: type)
    }

    ///     Y = clamp(round(alpha·a·b·((A − a₀)·(B − b₀) + C)/y) + y₀), or in real numbers where no y is stated
    static let quantizedGemm = Operator("QGemm", domain: "com.microsoft") { preparation in
        var form = try IntegerProduct(
            preparation, a: 0, aZero: 2, b: 3, bZero: 5, options: MatrixOptions(preparation.attributes))
        form.alpha = preparation.attributes.float("alpha", otherwise: 1)
        if preparation.isStated(6) {
            let addend = try preparation.fact(6)
            guard addend.type == .int32, try Broadcasting.shape(addend.shape, form.layout.output) == form.layout.output
            else { throw ExecutionError.shape("QGemm adds \(addend.type) \(addend.shape)") }
            form.addend = (6, Broadcasting.offsets(of: addend.shape, in: form.layout.output, step: 1))
        }
        let type = try preparation.isStated(8) ? preparation.type(8) : preparation.type(0)
        return try requantized(preparation, form, aScale: 1, bScale: 4, yScale: 7, yZero: 8, type: type)
    }

    private static func requantized(
        _ preparation: Preparation, _ form: IntegerProduct, aScale: Int, bScale: Int, yScale: Int, yZero: Int,
        type: ElementType
    ) throws -> Prepared {
        let (n, shape) = (form.layout.product.n, form.layout.output)
        let columns = try preparation.fact(bScale).count
        guard try preparation.type(aScale) == .float32, try preparation.type(bScale) == .float32,
            try preparation.fact(aScale).count == 1, columns == 1 || columns == n
        else {
            throw ExecutionError.shape("\(preparation.operation) has scales of other shapes than one or one a column")
        }
        func scale(_ arguments: KernelArguments, _ column: Int) -> Float {
            unsafe form.alpha * arguments.input(aScale, Float.self)[0]
                * arguments.input(bScale, Float.self)[columns == 1 ? 0 : column]
        }
        if !preparation.isStated(yScale) {
            let fact = TensorFact(type: .float32, shape: shape)
            return Prepared([fact], scratch: form.scratch, macs: form.macs) { arguments in
                unsafe form.run(arguments)
                let (sums, y) = unsafe (form.sums(arguments), arguments.output(0, Float.self))
                for index in 0..<fact.count { unsafe y[index] = Float(sums[index]) * scale(arguments, index % n) }
            }
        }
        let target = try Quantization(preparation, type: type, scale: yScale, zero: yZero)
        let fact = TensorFact(type: type, shape: shape)
        func make<Q: IntegerElement>(_: Q.Type) -> Prepared {
            Prepared([fact], scratch: form.scratch, macs: form.macs) { arguments in
                unsafe form.run(arguments)
                let (sums, y) = unsafe (form.sums(arguments), arguments.output(0, Q.self))
                let quantizer = target.quantizer(arguments, Q.self)
                for index in 0..<fact.count {
                    let factor = scale(arguments, index % n) / quantizer.scale
                    unsafe y[index] = Q(truncatingIfNeeded: quantizer.rounded(Float(sums[index]) * factor))
                }
            }
        }
        return make(try type.integerElement(preparation.operation))
    }
}

/// A product of two inputs of integers.
struct IntegerProduct: Sendable {
    let layout: MatrixProductLayout
    var alpha: Float = 1
    /// An input that is added, and which of its elements to which sum.
    var addend: (input: Int, offsets: [Int])?
    private let a: Operand
    private let b: Operand
    private let outputs: Int

    private struct Operand: Sendable {
        let input: Int
        let zeroInput: Int
        let fact: TensorFact
        let zeros: Int
        /// The zero point of element `i` is number `i / step % zeros`.
        let step: Int
    }

    init(
        _ preparation: Preparation, a: Int, aZero: Int, b: Int, bZero: Int, options: MatrixOptions = MatrixOptions()
    ) throws {
        let (left, right) = (try preparation.fact(a), try preparation.fact(b))
        var options = options
        options.alpha = 1
        layout = try MatrixProductLayout(left.shape, right.shape, options, collapses: false)
        outputs = try layout.output.elementCount()
        func operand(_ input: Int, _ zero: Int, _ fact: TensorFact, extent: Int, step: Int) throws -> Operand {
            guard fact.type.quantizedRange != nil else {
                throw ExecutionError.type("\(preparation.operation) is not defined for \(fact.type)")
            }
            var zeros = 1
            if preparation.isStated(zero) {
                let stated = try preparation.fact(zero)
                zeros = stated.count
                guard stated.type == fact.type, zeros == 1 || zeros == extent else {
                    throw ExecutionError.shape("\(preparation.operation) has zero points of \(stated.shape)")
                }
            }
            return Operand(input: input, zeroInput: zero, fact: fact, zeros: zeros, step: step)
        }
        let product = layout.product
        self.a = try operand(
            a, aZero, left, extent: product.m, step: options.transposesA ? 1 : max(1, product.k))
        self.b = try operand(
            b, bZero, right, extent: product.n, step: options.transposesB ? max(1, product.k) : 1)
    }

    var scratch: Int { (a.fact.count + b.fact.count + outputs) * MemoryLayout<Double>.stride }
    var macs: Int { outputs * layout.product.k }

    @unsafe func sums(_ arguments: KernelArguments) -> UnsafeMutablePointer<Double> {
        unsafe arguments.scratch(Double.self)
    }

    @unsafe func run(_ arguments: KernelArguments) {
        let sums = unsafe sums(arguments)
        let (left, right) = unsafe (sums + outputs, sums + outputs + a.fact.count)
        unsafe read(arguments, a, into: left)
        unsafe read(arguments, b, into: right)
        unsafe layout.product.run(left, right, into: sums, batch: layout.batch, pool: arguments.pool)
        guard let addend else { return }
        let added = unsafe arguments.input(addend.input, Int32.self)
        for (index, offset) in addend.offsets.enumerated() { unsafe sums[index] += Double(added[offset]) }
    }

    @unsafe private func read(
        _ arguments: KernelArguments, _ operand: Operand, into to: UnsafeMutablePointer<Double>
    ) {
        func read<Q: IntegerElement>(_: Q.Type) {
            let from = unsafe arguments.input(operand.input, Q.self)
            let zeros = unsafe arguments.optionalInput(operand.zeroInput, Q.self)
            arguments.pool.split(operand.fact.count, grain: 1 << 14) { part in
                if operand.zeros == 1 {
                    let zero = unsafe zeros.map { unsafe Int32(truncatingIfNeeded: $0[0]) } ?? 0
                    for index in part { unsafe to[index] = Double(Int32(truncatingIfNeeded: from[index]) - zero) }
                    return
                }
                for index in part {
                    let zero = unsafe zeros.map {
                        unsafe Int32(truncatingIfNeeded: $0[index / operand.step % operand.zeros])
                    }
                    unsafe to[index] = Double(Int32(truncatingIfNeeded: from[index]) - (zero ?? 0))
                }
            }
        }
        switch operand.fact.type.storage {
        case .int8: read(Int8.self)
        case .uint8: read(UInt8.self)
        case .int16: read(Int16.self)
        default: read(UInt16.self)
        }
    }
}
