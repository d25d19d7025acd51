public import ConverterKit
public import Decompositions

/// A layer and the chain that takes its place.
public struct Replacement: Sendable {
    /// A layer of the map of the model that is rewritten.
    public var layer: MappedLayer
    /// The id of the decomposition, which names the new nodes and weights.
    public var decomposition: String
    /// Gives the chain when its turn comes, so that one chain is in memory at a time: channels, groups and kernel of the
    /// layer; each spatial axis carried by exactly one link.
    public var chain: @Sendable () throws(ConversionError) -> FactorChain

    public init(
        layer: MappedLayer, decomposition: String,
        chain: @escaping @Sendable () throws(ConversionError) -> FactorChain
    ) {
        self.layer = layer
        self.decomposition = decomposition
        self.chain = chain
    }

    public init(layer: MappedLayer, chain: FactorChain, decomposition: String) {
        self.init(layer: layer, decomposition: decomposition) { () throws(ConversionError) in chain }
    }
}

/// Takes the bytes of a new weight and says where they are to be read from: in memory, or in a file.
public typealias FactorStore = @Sendable (_ bytes: [UInt8]) throws(ConversionError) -> ByteSource

extension Model {
    /// The model with each layer's nodes written as its chain. Everything else stays as it is: names of outputs, order,
    /// operator sets, the form in which weights are stored.
    ///
    /// Throws `mapping.stale-layer` for a layer of another model, `mapping.chain-mismatch` for a chain that is not the
    /// layer's, `mapping.non-finite-factor`, `tensor.overflow` when a factor does not fit the weight's element type,
    /// `mapping.invalid-graph` when the result would not be well-formed, or what `store` throws.
    public func replacing(
        _ replacements: [Replacement], store: FactorStore = { (bytes) throws(ConversionError) in ByteSource(bytes) }
    ) throws(ConversionError) -> Model {
        let tree = ScopeTree(of: self)
        let before = GraphCheck.allFaults(in: tree)
        var rewrite = GraphRewrite(of: tree)
        for replacement in replacements { try rewrite.add(replacement, store: store) }
        rewrite.removeUnused()
        let result = rewrite.apply()
        let known = Set(before)
        if let fault = GraphCheck.allFaults(in: ScopeTree(of: result)).first(where: { !known.contains($0) }) {
            throw fault.afterRewrite
        }
        return result
    }
}
