/// Which list of nodes of a model is meant: the graph, a function's body, or a graph inside an attribute of a node.
public struct ScopePath: Sendable, Hashable {
    /// Where the path starts.
    public enum Root: Sendable, Hashable {
        case graph
        /// The body of the model's function of this index.
        case function(Int)
    }

    /// From a scope into a graph that an attribute of one of its nodes holds.
    public struct Step: Sendable, Hashable {
        public var node: Int
        public var attribute: Int
        /// Index in an attribute that holds several graphs; 0 in one that holds one.
        public var graph: Int

        public init(node: Int, attribute: Int, graph: Int) {
            self.node = node
            self.attribute = attribute
            self.graph = graph
        }
    }

    public var root: Root
    public var steps: [Step]

    public init(root: Root, steps: [Step] = []) {
        self.root = root
        self.steps = steps
    }

    /// The scope of the graph that `step` leads to.
    public func appending(_ step: Step) -> ScopePath { ScopePath(root: root, steps: steps + [step]) }
}

/// A node of a model, by the scope it stands in and its index there.
public struct NodeLocation: Sendable, Hashable {
    public var scope: ScopePath
    public var index: Int

    public init(scope: ScopePath, index: Int) {
        self.scope = scope
        self.index = index
    }
}
