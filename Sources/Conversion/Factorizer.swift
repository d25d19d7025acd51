internal import ConverterKit
internal import Decompositions
internal import LayerMapping
internal import LinearAlgebra
internal import RankSearch

/// Computes the factors of a plan and rewrites the model with them.
struct Factorizer: Sendable {
    let settings: ConversionSettings
    /// Largest relative error of a layer's weight.
    let layerError: Double?
    let deadline: Deadline
    let progress: ProgressHandler

    /// The rewritten model, and the layers' relative weight errors as measured on the factors, rounded as they are
    /// stored.
    struct Result: Sendable {
        var model: Model
        var plan: ConversionPlan
        var errors: [String: Double]
    }

    /// What became of one layer: its chain, laid aside on disk, or why it stays after all.
    private enum LayerOutcome: Sendable {
        case chain(StoredChain, relativeError: Double)
        case stays(KeepReason)
    }

    func factorize(_ model: Model, by plan: ConversionPlan, scratch: ScratchFile) throws -> Result {
        let changed = plan.layers.indices.filter { plan.layers[$0].choice.decomposition != nil }
        let weights = changed.map { plan.layers[$0].layer.shape.weightCount }
        let outcomes = try LayerLoop(threads: settings.threads).map(weights: weights) { position in
            try deadline.check()
            let planned = plan.layers[changed[position]]
            progress(
                Progress(
                    stage: .factorizing, fraction: Double(position) / Double(changed.count), detail: planned.layer.id))
            return try factorize(planned, scratch: scratch)
        }
        var result = Result(model: model, plan: plan, errors: [:])
        var replacements: [Replacement] = []
        for (index, outcome) in zip(changed, outcomes) {
            let planned = plan.layers[index]
            switch outcome {
            case .chain(let chain, let error):
                result.errors[planned.layer.id] = error
                replacements.append(
                    Replacement(layer: planned.layer, decomposition: planned.choice.decomposition ?? "") {
                        () throws(ConversionError) in try chain.load()
                    })
            case .stays(let reason):
                result.plan.layers[index].choice = .dense(planned.layer)
                result.plan.layers[index].reason = reason.rawValue
            }
        }
        result.model = try model.replacing(replacements) { (bytes) throws(ConversionError) in try scratch.store(bytes) }
        return result
    }

    /// A layer whose factors cannot be had, do not fit the stored type or miss the error bound stays as it is.
    private func factorize(_ planned: PlannedLayer, scratch: ScratchFile) throws -> LayerOutcome {
        let layer = planned.layer
        guard let decomposition = planned.choice.decomposition.flatMap({ DecompositionRegistry.named($0) }) else {
            return .stays(.decompositionFailed)
        }
        let weight = try layer.weight()
        do {
            let balance = ChannelBalance(of: weight, layer: layer.shape)
            let balanced = balance.balanced(weight, layer: layer.shape)
            var chain = balance.restored(
                try decomposition.factorize(
                    weight: balanced, of: layer.shape, ranks: planned.choice.ranks, analysis: planned.analysis,
                    seed: settings.seed),
                layer: layer.shape)
            for index in chain.links.indices {
                chain.links[index].weight = try layer.elementType.rounded(chain.links[index].weight)
            }
            let product = try chain.reconstruct(layer.shape)
            let error = max(
                Self.relativeDifference(of: product, to: weight),
                Self.relativeDifference(of: balance.balanced(product, layer: layer.shape), to: balanced))
            guard error.isFinite else { return .stays(.decompositionFailed) }
            // Rounding of the factors may add a little to the error that the search knew.
            if let bound = layerError, !settings.fullRank, error > bound * 1.01 {
                return .stays(.errorAboveBound)
            }
            return .chain(try StoredChain(chain, in: scratch), relativeError: error)
        } catch is LinearAlgebraError {
            return .stays(.decompositionFailed)
        } catch is DecompositionError {
            return .stays(.decompositionFailed)
        } catch let error as ConversionError where error.code == "tensor.overflow" {
            return .stays(.factorOverflow)
        }
    }

    /// `‖a − b‖ / ‖b‖`; 0 when both are zero.
    private static func relativeDifference(of values: [Float], to reference: [Float]) -> Double {
        let difference = squaredNorm(zip(values, reference).map { $0 - $1 })
        let norm = squaredNorm(reference)
        return norm > 0 ? (difference / norm).squareRoot() : difference.squareRoot()
    }
}

/// A chain whose weights lie in the scratch file until the graph is rewritten.
struct StoredChain: Sendable {
    private let links: [(shape: FactorLink.Shape, weight: ByteSource)]

    init(_ chain: FactorChain, in scratch: ScratchFile) throws(ConversionError) {
        var links: [(shape: FactorLink.Shape, weight: ByteSource)] = []
        for link in chain.links {
            links.append((link.shape, try scratch.store(Tensor.pack(link.weight, as: .float32))))
        }
        self.links = links
    }

    func load() throws(ConversionError) -> FactorChain {
        var loaded: [FactorLink] = []
        for link in links {
            let tensor = Tensor(
                name: nil, elementTypeNumber: ElementType.float32.rawValue, shape: [Int64(link.shape.weightCount)],
                payload: .raw(link.weight))
            loaded.append(FactorLink(shape: link.shape, weight: try tensor.floats()))
        }
        return FactorChain(links: loaded)
    }
}

extension ElementType {
    /// The values as they are after being stored in this type.
    func rounded(_ values: [Float]) throws(ConversionError) -> [Float] {
        if self == .float32 || self == .float64 { return values }
        let bytes = try Tensor.pack(values, as: self)
        return try Tensor(
            name: nil, elementTypeNumber: rawValue, shape: [Int64(values.count)], payload: .raw(ByteSource(bytes))
        ).floats()
    }
}
