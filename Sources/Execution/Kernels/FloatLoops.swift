internal import CKernels

/// y[i] = f(x[i]) in single precision; y may be x.
@safe struct FloatMap: Sendable {
    typealias Loop =
        @Sendable (
            _ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int
        ) -> Void
    private let loop: Loop

    @safe init(_ loop: @escaping Loop) { unsafe self.loop = loop }

    @unsafe func callAsFunction(_ y: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int) {
        unsafe loop(y, x, count)
    }
}

/// dx[i] = dy[i]·f′ in single precision, f′ of the operator's input or output v; dx may be either.
@safe struct FloatDerivative: Sendable {
    typealias Loop =
        @Sendable (
            _ dx: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>, _ v: UnsafePointer<Float>, _ count: Int
        ) -> Void
    private let loop: Loop

    @safe init(_ loop: @escaping Loop) { unsafe self.loop = loop }

    @unsafe func callAsFunction(
        _ dx: UnsafeMutablePointer<Float>, _ dy: UnsafePointer<Float>, _ v: UnsafePointer<Float>, _ count: Int
    ) {
        unsafe loop(dx, dy, v, count)
    }
}

/// y[i] = a[i] ∘ b[i] in single precision, in the forms that broadcasting needs; y may be an operand.
@safe struct FloatBinary: Sendable {
    typealias Pair =
        @Sendable (
            _ y: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
        ) -> Void
    typealias WithScalar =
        @Sendable (
            _ y: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ scalar: Float, _ count: Int
        ) -> Void

    let pair: Pair
    /// a ∘ scalar.
    let rightScalar: WithScalar
    /// scalar ∘ a.
    let leftScalar: WithScalar

    @safe init(_ pair: @escaping Pair, rightScalar: @escaping WithScalar, leftScalar: @escaping WithScalar) {
        unsafe (self.pair, self.rightScalar, self.leftScalar) = (pair, rightScalar, leftScalar)
    }

    /// From a function of two numbers.
    init(_ function: @escaping @Sendable (Float, Float) -> Float) {
        self.init(
            { y, a, b, count in for i in 0..<count { unsafe y[i] = function(a[i], b[i]) } },
            rightScalar: { y, a, s, count in for i in 0..<count { unsafe y[i] = function(a[i], s) } },
            leftScalar: { y, a, s, count in for i in 0..<count { unsafe y[i] = function(s, a[i]) } })
    }

    /// One run; `aStep` and `bStep` say which operand stays.
    @unsafe func run(
        _ y: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>,
        _ bStep: Int, _ count: Int
    ) {
        if aStep == bStep {
            // Both stay only along a run of one.
            unsafe pair(y, a, b, count)
        } else if bStep == 0 {
            unsafe rightScalar(y, a, b[0], count)
        } else {
            unsafe leftScalar(y, b, a[0], count)
        }
    }

    static let add = FloatBinary(
        { unsafe rene_add($0, $1, $2, $3) }, rightScalar: { unsafe rene_add_scalar($0, $1, $2, $3) },
        leftScalar: { unsafe rene_add_scalar($0, $1, $2, $3) })
    static let subtract = FloatBinary(
        { unsafe rene_sub($0, $1, $2, $3) }, rightScalar: { unsafe rene_sub_scalar($0, $1, $2, $3) },
        leftScalar: { unsafe rene_reverse_sub_scalar($0, $1, $2, $3) })
    static let multiply = FloatBinary(
        { unsafe rene_mul($0, $1, $2, $3) }, rightScalar: { unsafe rene_mul_scalar($0, $1, $2, $3) },
        leftScalar: { unsafe rene_mul_scalar($0, $1, $2, $3) })
    static let divide = FloatBinary(
        { unsafe rene_div($0, $1, $2, $3) }, rightScalar: { unsafe rene_div_scalar($0, $1, $2, $3) },
        leftScalar: { unsafe rene_reverse_div_scalar($0, $1, $2, $3) })
    static let minimum = FloatBinary(
        { unsafe rene_min($0, $1, $2, $3) }, rightScalar: { unsafe rene_min_scalar($0, $1, $2, $3) },
        leftScalar: { unsafe rene_min_scalar($0, $1, $2, $3) })
    static let maximum = FloatBinary(
        { unsafe rene_max($0, $1, $2, $3) }, rightScalar: { unsafe rene_max_scalar($0, $1, $2, $3) },
        leftScalar: { unsafe rene_max_scalar($0, $1, $2, $3) })
}
