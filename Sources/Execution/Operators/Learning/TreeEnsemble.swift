internal import ConverterKit

/// Decision trees whose leaves vote for targets.
struct TreeEnsemble: Sendable {
    private struct Node: Sendable {
        var mode: Mode
        var feature: Int
        var value: Float
        var whenTrue: Int
        var whenFalse: Int
        var missingIsTrue: Bool
        /// Of a leaf: its votes.
        var votes: Range<Int>

        func takes(_ x: Float) -> Bool {
            if x.isNaN { return missingIsTrue }
            return switch mode {
            case .lessOrEqual: x <= value
            case .less: x < value
            case .greaterOrEqual: x >= value
            case .greater: x > value
            case .equal: x == value
            case .different: x != value
            case .leaf: false
            }
        }
    }

    private enum Mode: String {
        case leaf = "LEAF"
        case lessOrEqual = "BRANCH_LEQ"
        case less = "BRANCH_LT"
        case greaterOrEqual = "BRANCH_GTE"
        case greater = "BRANCH_GT"
        case equal = "BRANCH_EQ"
        case different = "BRANCH_NEQ"
    }

    struct Vote: Sendable {
        var target: Int
        var weight: Float
    }

    private struct Place: Hashable {
        var tree: Int
        var node: Int
    }

    private var nodes: [Node] = []
    private var roots: [Int] = []
    private(set) var votes: [Vote] = []
    private let features: Int

    var treeCount: Int { roots.count }

    /// - Parameter kind: "class" or "target", with which the names of the votes' attributes begin.
    init(_ attributes: AttributeList, kind: String, features: Int, targets: Int) throws {
        self.features = features
        func ints(_ name: String, count: Int? = nil) throws -> [Int] {
            guard let values = attributes.ints(name), count.map({ $0 == values.count }) ?? true else {
                throw ExecutionError.attribute("\(name) of a tree ensemble")
            }
            return values
        }
        func floats(_ name: String, count: Int) throws -> [Float] {
            let values = try attributes.floats(name) ?? attributes.tensor(name + "_as_tensor")?.floats()
            guard let values, values.count == count else {
                throw ExecutionError.attribute("\(name) of a tree ensemble")
            }
            return values
        }
        let trees = try ints("nodes_treeids")
        let count = trees.count
        let ids = try ints("nodes_nodeids", count: count)
        let featureIDs = try ints("nodes_featureids", count: count)
        let (whenTrue, whenFalse) = (
            try ints("nodes_truenodeids", count: count), try ints("nodes_falsenodeids", count: count)
        )
        let values = try floats("nodes_values", count: count)
        let missing = attributes.ints("nodes_missing_value_tracks_true") ?? []
        guard let modes = attributes.strings("nodes_modes"), modes.count == count,
            missing.isEmpty || missing.count == count
        else { throw ExecutionError.attribute("nodes_modes of a tree ensemble") }
        var places: [Place: Int] = [:]
        for index in 0..<count {
            guard places.updateValue(index, forKey: Place(tree: trees[index], node: ids[index])) == nil else {
                throw ExecutionError.attribute("a tree has a node twice")
            }
            if index == 0 || trees[index] != trees[index - 1] { roots.append(index) }
        }
        guard Set(trees).count == roots.count else { throw ExecutionError.attribute("the nodes of a tree lie apart") }

        let voteTrees = try ints(kind + "_treeids")
        let voteNodes = try ints(kind + "_nodeids", count: voteTrees.count)
        let voteTargets = try ints(kind + "_ids", count: voteTrees.count)
        let weights = try floats(kind + "_weights", count: voteTrees.count)
        var votesByNode = [[Vote]](repeating: [], count: count)
        for index in voteTrees.indices {
            guard let node = places[Place(tree: voteTrees[index], node: voteNodes[index])],
                (0..<targets).contains(voteTargets[index])
            else { throw ExecutionError.attribute("a vote of a tree ensemble belongs to no node or target") }
            votesByNode[node].append(Vote(target: voteTargets[index], weight: weights[index]))
        }
        for index in 0..<count {
            guard let mode = Mode(rawValue: modes[index]) else {
                throw ExecutionError.attribute("a tree has the mode \(modes[index])")
            }
            let first = votes.count
            votes += votesByNode[index]
            var node = Node(
                mode: mode, feature: featureIDs[index], value: values[index], whenTrue: 0, whenFalse: 0,
                missingIsTrue: !missing.isEmpty && missing[index] != 0, votes: first..<votes.count)
            if mode != .leaf {
                guard let yes = places[Place(tree: trees[index], node: whenTrue[index])],
                    let no = places[Place(tree: trees[index], node: whenFalse[index])],
                    (0..<features).contains(node.feature)
                else { throw ExecutionError.attribute("a node of a tree has no such child or feature") }
                (node.whenTrue, node.whenFalse) = (yes, no)
            }
            nodes.append(node)
        }
    }

    /// Calls `vote` with the votes of the leaves that a row ends at. Throws where a tree runs in a circle.
    func vote(_ row: ArraySlice<Float>, _ vote: (Vote) -> Void) throws {
        for root in roots {
            var index = root
            var steps = 0
            while nodes[index].mode != .leaf {
                let node = nodes[index]
                index = node.takes(row[row.startIndex + node.feature]) ? node.whenTrue : node.whenFalse
                steps += 1
                guard steps <= nodes.count else { throw ExecutionError.attribute("a tree runs in a circle") }
            }
            for place in nodes[index].votes { vote(votes[place]) }
        }
    }
}
