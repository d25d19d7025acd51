/// Why a layer cannot be decomposed as asked.
public struct DecompositionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A stable, dotted, kebab-case identifier: `decomposition.` followed by `non-finite-weight`, `degenerate`,
    /// `size-mismatch` or `rank-out-of-range`.
    public var code: String
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(message) [\(code)]" }
}
