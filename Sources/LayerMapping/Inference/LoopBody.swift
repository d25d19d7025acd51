internal import ConverterKit

/// How a control-flow node runs its body: what the body is given, how often, and what becomes of its results.
struct LoopBody {
    let inputs: [ValueFact]
    let times: Int
    private let operation: String
    private let states: Int
    private let scanAxes: [Int]

    init(of node: Node, inputs given: [ValueFact?], body: ScopeTree.Scope) {
        operation = node.isStandard ? node.operation : ""
        var times = 1
        var inputs: [ValueFact] = []
        var states = 0
        switch operation {
        case "Loop":
            let integer = ElementType.int64.rawValue
            if let trips = given.first??.integers?.first, trips > 0, trips < 1 << 32 { times = trips }
            let carried = given.dropFirst(2).map { $0?.withoutContent ?? ValueFact() }
            states = carried.count
            inputs = [ValueFact(shape: [], type: integer), ValueFact(shape: [], type: ElementType.bool.rawValue)]
            // The extents of a carried value may change from run to run; the body's own statement counts then.
            inputs += carried
        case "Scan":
            let scanned = node[attribute: "num_scan_inputs"]?.int ?? 0
            states = max(0, given.count - scanned)
            let axes = node[attribute: "scan_input_axes"]?.ints ?? []
            for (index, fact) in given.enumerated() {
                var fact = fact?.withoutContent ?? ValueFact()
                if index >= states, var shape = fact.shape, !shape.isEmpty {
                    let axis = axes.indices.contains(index - states) ? axes[index - states] : 0
                    let position = axis < 0 ? axis + shape.count : axis
                    if shape.indices.contains(position) {
                        if let extent = shape.remove(at: position) { times = max(1, extent) }
                        fact.shape = shape
                    }
                }
                inputs.append(fact)
            }
        default: break
        }
        self.inputs = inputs
        self.times = times
        self.states = states
        scanAxes = node[attribute: "scan_output_axes"]?.ints ?? []
    }

    /// The node's results from those of its body.
    func outputs(of results: [ValueFact]) -> [ValueFact] {
        switch operation {
        case "Loop": states(of: results.dropFirst())
        case "Scan": states(of: results[...])
        default: results
        }
    }

    private func states(of results: ArraySlice<ValueFact>) -> [ValueFact] {
        results.enumerated().map { index, fact in
            guard index >= states, let shape = fact.shape else { return fact.withoutContent }
            let axis = scanAxes.indices.contains(index - states) ? scanAxes[index - states] : 0
            let position = axis < 0 ? axis + shape.count + 1 : axis
            guard position >= 0, position <= shape.count else { return ValueFact(type: fact.type) }
            var stacked = shape
            stacked.insert(times > 1 ? times : nil, at: position)
            return ValueFact(shape: stacked, type: fact.type)
        }
    }
}
