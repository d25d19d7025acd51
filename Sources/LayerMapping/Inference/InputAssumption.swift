public import ConverterKit

/// A free extent of a graph input, and what was taken for it.
public struct AssumedExtent: Sendable, Hashable {
    public var input: String
    public var axis: Int
    /// The name of the free extent in the model, if it has one.
    public var symbol: String?
    public var extent: Int

    public init(input: String, axis: Int, symbol: String?, extent: Int) {
        self.input = input
        self.axis = axis
        self.symbol = symbol
        self.extent = extent
    }
}

/// What is taken for extents that a model leaves open.
public struct ExtentDefaults: Sendable, Hashable {
    public var batch: Int
    public var image: Int
    public var sequence: Int

    public init(batch: Int = 1, image: Int = 224, sequence: Int = 128) {
        self.batch = batch
        self.image = image
        self.sequence = sequence
    }
}

extension Model {
    /// Extents of the graph's inputs by name, the free ones stated by `inputShapes` or else taken from `defaults`; without
    /// those whose rank is not known.
    public func inputExtents(inputShapes: [String: [Int]], defaults: ExtentDefaults) -> [String: [Int]] {
        InputAssumption(of: ScopeTree(of: self), inputShapes: inputShapes, defaults: defaults).facts
            .compactMapValues(\.extents)
    }
}

/// The extents of the graph's inputs for one input of the model: free leading axes are 1 (one element of a batch), free
/// axes that the caller states are as stated, others are assumed by rank: an image of 224 × 224, a sequence of 128,
/// a past of 0.
struct InputAssumption {
    private let defaults: ExtentDefaults
    private(set) var facts: [String: ValueFact] = [:]
    private(set) var symbols: [String: Int] = [:]
    private(set) var assumed: [AssumedExtent] = []

    init(of tree: ScopeTree, inputShapes: [String: [Int]], defaults: ExtentDefaults = ExtentDefaults()) {
        self.defaults = defaults
        let scope = tree.scopes[0]
        let stored = Set(scope.initializers.compactMap(\.name))
        let inputs = scope.inputInfo.filter { !stored.contains($0.name ?? "") }
        // What is stated and what is a batch goes first, so that a symbol has one meaning wherever it stands.
        for info in inputs {
            guard let name = info.name, let shape = info.tensorType?.shape else { continue }
            for (axis, dimension) in shape.enumerated() {
                guard case .symbol(let symbol) = dimension, !symbol.isEmpty else { continue }
                if let stated = inputShapes[name], stated.count == shape.count, stated[axis] > 0 {
                    symbols[symbol] = stated[axis]
                }
            }
        }
        for info in inputs {
            guard let shape = info.tensorType?.shape, case .symbol(let symbol)? = shape.first, !symbol.isEmpty else {
                continue
            }
            symbols[symbol] = symbols[symbol] ?? defaults.batch
        }
        for info in inputs {
            guard let name = info.name, let type = info.tensorType else { continue }
            facts[name] =
                ValueFact(
                    shape: type.shape.map { extents(of: $0, input: name, stated: inputShapes[name]) }
                        ?? inputShapes[name],
                    type: type.elementTypeNumber
                ).bounded
        }
    }

    private mutating func extents(
        of shape: [TensorType.Dimension], input: String, stated: [Int]?
    ) -> [Int?] {
        shape.enumerated().map { axis, dimension in
            var symbol: String?
            switch dimension {
            case .fixed(let extent):
                // Some exporters write a free batch as 0 or -1.
                if extent > 0 { return Int(exactly: extent) }
            case .symbol(let name): symbol = name.isEmpty ? nil : name
            case .unknown: break
            }
            if let symbol, let known = symbols[symbol] { return known }
            if let stated, stated.count == shape.count, stated[axis] > 0 { return stated[axis] }
            if axis == 0 { return defaults.batch }
            let extent = assumption(axis: axis, rank: shape.count, symbol: symbol)
            if let symbol { symbols[symbol] = extent }
            assumed.append(AssumedExtent(input: input, axis: axis, symbol: symbol, extent: extent))
            return extent
        }
    }

    private func assumption(axis: Int, rank: Int, symbol: String?) -> Int {
        let name = symbol?.lowercased() ?? ""
        if name.contains("batch") { return defaults.batch }
        if name.contains("past") { return 0 }
        return rank >= 4 && axis >= 2 ? defaults.image : defaults.sequence
    }
}
