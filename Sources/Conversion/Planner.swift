internal import ConverterKit
internal import Decompositions
internal import LayerMapping
internal import LinearAlgebra
internal import RankSearch

/// Makes the plan: which layers there are, the errors of each at every rank, and the search for the ranks.
struct Planner: Sendable {
    let settings: ConversionSettings
    /// Whether factors will be computed from the plan.
    let retainsFactors: Bool
    let deadline: Deadline
    let progress: ProgressHandler

    /// A model's layers with what is known of them at every rank: all that the searches have in common.
    struct Analysed: Sendable {
        let map: LayerMap
        fileprivate let analyses: [LayerAnalysis]
        fileprivate let sourceBytes: Int
    }

    func analyse(_ model: Model, sourceBytes: Int) throws -> Analysed {
        progress(Progress(stage: .mapping, fraction: 0))
        let map = try LayerMap(of: model, options: mappingOptions)
        return Analysed(map: map, analyses: try analyse(map.layers), sourceBytes: sourceBytes)
    }

    /// - Parameter layerError: largest relative error of a layer's weight.
    func plan(_ analysed: Analysed, layerError: Double?) throws -> ConversionPlan {
        let (map, analyses, sourceBytes) = (analysed.map, analysed.analyses, analysed.sourceBytes)
        let open = map.layers.indices.filter { analyses[$0].reason == nil }
        let searched = open.map { searchLayer(map.layers[$0], families: analyses[$0].families) }
        progress(Progress(stage: .searching, fraction: 0))
        let start = ContinuousClock.now
        let found =
            try settings.fullRank
            ? Self.fullRank(searched) : search(searched, map: map, bytes: sourceBytes, layerError: layerError)
        let seconds = Double(start.duration(to: .now) / .seconds(1))
        var layers = zip(map.layers, analyses).map { layer, analysis in
            PlannedLayer(layer: layer, choice: .dense(layer), reason: analysis.reason?.rawValue)
        }
        for (index, choice) in zip(open, found.choices) {
            layers[index].choice = choice
            guard let id = choice.decomposition, let decomposition = DecompositionRegistry.named(id) else {
                layers[index].reason = KeepReason.searchKeepsDense.rawValue
                continue
            }
            // Nodes that share a weight may stand at places of different extents.
            layers[index].choice.cost = layers[index].layer.cost(
                of: decomposition.links(ranks: choice.ranks, in: layers[index].layer.shape))
            layers[index].analysis = analyses[index].families.first { $0.decomposition.id == id }?.analysis
        }
        return ConversionPlan(map: map, layers: layers, steps: found.steps, searchSeconds: seconds)
    }

    private var mappingOptions: MappingOptions {
        var options = MappingOptions()
        options.include = settings.include
        options.exclude = settings.exclude
        options.inputShapes = settings.inputShapes
        return options
    }

    // MARK: - Analysis

    fileprivate struct LayerAnalysis: Sendable {
        var families: [SearchFamily] = []
        var reason: KeepReason?
    }

    private func analyse(_ layers: [MappedLayer]) throws -> [LayerAnalysis] {
        // Factors from kept bases need no second Gram matrix and reduction; bases are kept while they are small.
        let bases = layers.reduce(0) { $0 + MemoryNeed.basisBytes(for: $1.shape) }
        let retainsFactors = retainsFactors && bases <= min(settings.memoryLimit ?? .max, MemoryNeed.largestBases)
        let choice = try DecompositionChoice(names: settings.decomposition)
        return try LayerLoop(threads: settings.threads).map(weights: layers.map(\.shape.weightCount)) { index in
            try deadline.check()
            let layer = layers[index]
            progress(Progress(stage: .analysing, fraction: Double(index) / Double(layers.count), detail: layer.id))
            return try analyse(
                layer, among: choice.decompositions(for: layer.shape), retainsFactors: retainsFactors)
        }
    }

    /// The layer under each decomposition. What is wrong with one weight keeps that layer as it is and ends nothing.
    private func analyse(
        _ layer: MappedLayer, among decompositions: [any Decomposition], retainsFactors: Bool
    ) throws -> LayerAnalysis {
        let fitting = decompositions.filter { $0.applies(to: layer.shape) }
        if fitting.isEmpty { return LayerAnalysis(reason: .decompositionDoesNotApply) }
        let paying = fitting.filter { decomposition in
            let ranks = decomposition.largestRanks(for: layer.shape).map { _ in 1 }
            return settings.fullRank || decomposition.cost(ranks: ranks, in: layer.shape).beats(layer.shape.denseCost)
        }
        if paying.isEmpty { return LayerAnalysis(reason: .noRankPays) }
        if let limit = settings.memoryLimit, MemoryNeed.bytes(for: layer.shape) > limit {
            return LayerAnalysis(reason: .memoryLimit)
        }
        let weight = try layer.weight()
        guard weight.allSatisfy(\.isFinite) else { return LayerAnalysis(reason: .nonFiniteWeights) }
        let balanced = ChannelBalance(of: weight, layer: layer.shape).balanced(weight, layer: layer.shape)
        do {
            return LayerAnalysis(
                families: try paying.map { decomposition in
                    SearchFamily(
                        decomposition: decomposition,
                        analysis: try decomposition.analyze(
                            weight: balanced, of: layer.shape, retainingFactors: retainsFactors, seed: settings.seed))
                })
        } catch is LinearAlgebraError {
            return LayerAnalysis(reason: .decompositionFailed)
        } catch is DecompositionError {
            return LayerAnalysis(reason: .decompositionFailed)
        }
    }

    // MARK: - Search

    private func searchLayer(_ layer: MappedLayer, families: [SearchFamily]) -> SearchLayer {
        SearchLayer(
            id: layer.id, shape: layer.shape, dense: layer.dense, uses: layer.uses,
            elementBytes: layer.elementType.byteCount(of: 1) ?? 4, families: families,
            fixedRanks: settings.ranks[layer.id])
    }

    private func search(_ layers: [SearchLayer], map: LayerMap, bytes: Int, layerError: Double?) throws -> SearchResult
    {
        guard let strategy = SearchRegistry.named(settings.search) else {
            throw ConversionError(
                "search.unknown", .usage, "there is no search called \(settings.search)",
                remedy: "Use one of: \(SearchRegistry.all.map { $0.id }.joined(separator: ", ")).")
        }
        var budget = Budget(largestError: layerError)
        for reduction in settings.reduce {
            switch reduction.quantity {
            case .params: budget.parameterReduction = max(budget.parameterReduction ?? 0, reduction.share)
            case .macs: budget.macReduction = max(budget.macReduction ?? 0, reduction.share)
            case .bytes: budget.byteReduction = max(budget.byteReduction ?? 0, reduction.share)
            }
        }
        let searched = layers.reduce(0) { $0 + $1.dense.macs }
        let total = ModelCost(
            parameters: map.cost.parameters, macs: max(searched, map.macsWithUnknownExtents),
            bytes: max(bytes, map.cost.bytes))
        do {
            return try strategy.search(
                SearchProblem(layers: layers, total: total, budget: budget),
                settings: SearchSettings(rankMultiple: settings.rankMultiple, seed: settings.seed))
        } catch let error as SearchError {
            throw ConversionError(
                .init(error.code), error.code == "search.unreachable" ? .badInput : .usage, error.message,
                remedy: error.remedy)
        }
    }

    /// Every layer at its largest rank, in the first decomposition that applies.
    private static func fullRank(_ layers: [SearchLayer]) throws -> SearchResult {
        let choices = try layers.map { layer in
            guard let family = layer.families.first else { return Choice(dense: layer.dense) }
            let ranks = family.decomposition.largestRanks(for: layer.shape)
            let cost = family.decomposition.cost(ranks: ranks, in: layer.shape)
            return Choice(
                decomposition: family.decomposition.id, ranks: ranks,
                cost: Cost(parameters: cost.parameters, macs: cost.macs * layer.uses),
                relativeError: try family.analysis.relativeError(ranks: ranks))
        }
        return SearchResult(choices: choices, steps: [])
    }
}

extension Choice {
    /// The layer stays as it is.
    init(dense cost: Cost) { self.init(decomposition: nil, ranks: [], cost: cost, relativeError: 0) }

    static func dense(_ layer: MappedLayer) -> Choice { Choice(dense: layer.dense) }
}
