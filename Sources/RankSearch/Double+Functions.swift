internal import Glibc

// The two functions of the C library that the relaxation needs, without Foundation.
extension Double {
    /// `e^self`.
    var exponential: Double { exp(self) }
    /// The natural logarithm.
    var logarithm: Double { log(self) }
}

extension Double {
    /// `2^self`.
    var powerOfTwo: Double { exp2(self) }
}
