/// A node by the index of its scope in a `ScopeTree`.
struct ScopeNode: Sendable, Hashable {
    var scope: Int
    var node: Int
}
