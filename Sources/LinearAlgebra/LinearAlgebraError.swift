/// What went wrong in a numeric routine.
public struct LinearAlgebraError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stable, dotted, kebab-case identifier: `linear-algebra.` followed by `size-mismatch`, `too-large`,
    /// `non-finite-input`, `non-finite-output`, `no-convergence`, `singular` or `illegal-argument`.
    public var code: String
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(message) [\(code)]" }

    static func sizeMismatch(_ message: String) -> Self { Self(code: "linear-algebra.size-mismatch", message: message) }

    static func nonFiniteInput(_ routine: String) -> Self {
        Self(code: "linear-algebra.non-finite-input", message: "\(routine) was given a NaN or an infinity")
    }

    static func nonFiniteOutput(_ routine: String) -> Self {
        Self(code: "linear-algebra.non-finite-output", message: "\(routine) gave a NaN or an infinity")
    }

    /// Throws unless LAPACK's `info` is 0: negative names an argument, positive means that an iteration failed.
    static func check(_ info: Int32, _ routine: String) throws {
        if info < 0 {
            throw Self(
                code: "linear-algebra.illegal-argument", message: "\(routine) refuses its argument \(-info)")
        }
        if info > 0 {
            throw Self(
                code: "linear-algebra.no-convergence", message: "\(routine) did not converge (INFO = \(info))")
        }
    }
}

/// `value` as the 32-bit integer of this BLAS build.
func blasInteger(_ value: Int) throws -> Int32 {
    guard let small = Int32(exactly: value) else {
        throw LinearAlgebraError(
            code: "linear-algebra.too-large", message: "an extent of \(value) does not fit BLAS's 32-bit integers")
    }
    return small
}
