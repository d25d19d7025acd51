internal import Decompositions

/// The extents of a layer at the places where it runs, from what was inferred of its values.
enum LayerExtents {
    /// One entry for each way the node runs; one with extents of 1 when nothing is known of any.
    static func places(of candidate: Candidate, inference: Inference) -> [MappedLayer.Use] {
        let observations = inference.observations[candidate.location] ?? []
        guard !observations.isEmpty else {
            return [.init(shape: candidate.shape, times: 1, isExtentKnown: false)]
        }
        return observations.map { observation in
            var shape = candidate.shape
            let known: Bool
            switch candidate.form {
            case .convolution: known = setSpatialExtents(&shape, from: observation)
            case .linear(let form): known = setTokens(&shape, of: form, from: observation)
            }
            guard known, isCountable(shape, times: observation.times) else {
                return .init(shape: candidate.shape, times: 1, isExtentKnown: false)
            }
            return .init(shape: shape, times: observation.times, isExtentKnown: true)
        }
    }

    /// Costs of a layer and its chains are computed without regard to overflow: extents far beyond any model are left
    /// out.
    private static func isCountable(_ shape: LayerShape, times: Int) -> Bool {
        let extents = zip(shape.inputExtent, shape.outputExtent).map { max($0, $1) }
        let factors = extents + shape.kernel + [shape.inChannels, shape.outChannels, times]
        return ShapeArithmetic.product(factors).map { $0 < 1 << 56 } ?? false
    }

    /// A batch above one is part of the cost: its positions are counted on the first axis.
    private static func setSpatialExtents(_ shape: inout LayerShape, from observation: Observation) -> Bool {
        guard let input = observation.inputs.first??.extents, let output = observation.outputs.first?.extents,
            input.count == shape.kernel.count + 2, output.count == input.count
        else { return false }
        shape.inputExtent = Array(input[2...])
        shape.outputExtent = Array(output[2...])
        shape.inputExtent[0] *= input[0]
        shape.outputExtent[0] *= input[0]
        return true
    }

    /// How many vectors the layer is applied to: the elements of the result by its output channels.
    private static func setTokens(
        _ shape: inout LayerShape, of form: LinearForm, from observation: Observation
    ) -> Bool {
        guard let output = observation.outputs.first?.extents, let count = ShapeArithmetic.product(output) else {
            return false
        }
        shape.inputExtent = [count / max(1, shape.outChannels)]
        shape.outputExtent = shape.inputExtent
        return true
    }
}
