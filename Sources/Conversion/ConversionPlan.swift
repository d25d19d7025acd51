public import Decompositions
public import LayerMapping
public import RankSearch

/// What a conversion will do: for each layer of the model the chain it becomes, or why it stays.
public struct ConversionPlan: Sendable {
    public var map: LayerMap
    public var layers: [PlannedLayer]
    public var steps: [SearchStep]
    public var searchSeconds: Double

    /// Cost of the whole model as it is.
    public var costBefore: Cost { Cost(parameters: map.cost.parameters, macs: map.macsWithUnknownExtents) }

    /// Cost of the whole model after the plan.
    public var costAfter: Cost {
        layers.reduce(costBefore) { cost, layer in
            Cost(
                parameters: cost.parameters - layer.layer.dense.parameters + layer.choice.cost.parameters,
                macs: cost.macs - layer.layer.dense.macs + layer.choice.cost.macs)
        }
    }

    /// The layers that change.
    public var changed: [PlannedLayer] { layers.filter { $0.choice.decomposition != nil } }
}

/// One layer of a plan.
public struct PlannedLayer: Sendable {
    public var layer: MappedLayer
    public var choice: Choice
    /// The analysis behind the choice, which may hold what the factors are computed from.
    var analysis: (any RankAnalysis)?
    /// Stable code of the reason when it stays.
    public var reason: String?
}

extension LayerMap {
    /// MACs of the model with the layers whose extents could not be inferred counted as applied at one position, as the
    /// search counts them.
    var macsWithUnknownExtents: Int {
        layers.flatMap(\.places).reduce(cost.macs) { macs, place in
            place.isExtentKnown ? macs : macs + place.shape.denseCost.macs * place.times
        }
    }
}
