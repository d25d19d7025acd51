/// Why a node stays as it is. The raw values are stable: reports, metrics and scripts rely on them.
public enum KeepReason: String, Sendable, Hashable, CaseIterable {
    // What the person asked for.
    /// A pattern of `exclude` matches the node.
    case excluded
    /// Patterns of `include` are given, and none matches the node.
    case notIncluded = "not-included"

    // Kept by default, selectable through `include`.
    /// Each channel has a kernel of its own: there is nothing to share between channels.
    case depthwise
    /// The last linear layer before an output: the cheapest place to lose accuracy.
    case classifierHead = "classifier-head"
    /// A 1×1 convolution beside a residual branch.
    case shortcut

    // What the layer is.
    /// Even at rank 1 no chain has fewer parameters and fewer multiply-accumulates than the layer.
    case noRankPays = "no-rank-pays"
    /// LSTM, GRU and RNN have no form with a factorized weight.
    case recurrentOperator = "recurrent-operator"
    /// The operator works on integers.
    case quantizedOperator = "quantized-operator"
    /// The operator joins a layer with other work, such as an activation.
    case fusedOperator = "fused-operator"
    /// An attention operator holds its projections itself.
    case attentionOperator = "attention-operator"
    /// An attribute that this program does not know may change what the node computes.
    case unknownAttribute = "unknown-attribute"
    /// An attribute takes its value from a function's caller.
    case attributeReference = "attribute-reference"
    /// The pads of the transposed convolution follow from its output shape; split by axis they would not be the same.
    case transposedOutputShape = "transposed-output-shape"

    // What the weight is.
    /// The weight is dequantized from integers; factors of it would undo the quantization.
    case quantizedWeight = "quantized-weight"
    /// The weight is computed while the model runs.
    case weightNotConstant = "weight-not-constant"
    /// The weight is computed from constants by other operators than the views that this program follows.
    case weightComputed = "weight-computed"
    /// A caller of the model may replace the weight through a graph input.
    case weightIsInput = "weight-is-input"
    /// The weight is an output of its graph as well.
    case weightIsOutput = "weight-is-output"
    /// The weight is passed into a local function by its callers.
    case weightIsFunctionInput = "weight-is-function-input"
    /// Another node that is not factorized needs the weight: factors would come on top of it.
    case weightSharedWithOtherUse = "weight-shared-with-other-use"
    /// Layers that share the weight see it in different layouts.
    case weightViewsDiffer = "weight-views-differ"
    /// A quantization annotation or training information names the weight.
    case weightAnnotated = "weight-annotated"
    /// The weight's element type is not a real one.
    case weightElementType = "weight-element-type"
    /// The weight's rank does not make a layer of the node.
    case weightRank = "weight-rank"
    /// The weight holds one matrix for each element of a batch.
    case batchedWeight = "batched-weight"
    /// The weight's extents contradict each other or the node's attributes.
    case weightShape = "weight-shape"
    /// The tensor has no content that this program can read.
    case weightWithoutContent = "weight-without-content"
    /// All inputs of the node are constant; it is no layer.
    case constantInput = "constant-input"

    // Found by whoever reads the weight or factorizes it, and noted with `LayerMap.keep`.
    /// The weight has elements that are infinite or not a number.
    case nonFiniteWeights = "non-finite-weights"
    /// No decomposition could be computed for the weight.
    case decompositionFailed = "decomposition-failed"
    /// The factors do not fit the element type that the weight is stored in.
    case factorOverflow = "factor-overflow"
    /// None of the decompositions that were asked for has a form for the layer.
    case decompositionDoesNotApply = "decomposition-does-not-apply"
    /// The numerics of the layer need more memory than the limit.
    case memoryLimit = "memory-limit"
    /// With the factors rounded as they are stored, the error is above the bound.
    case errorAboveBound = "error-above-bound"
    /// The search found that the layer is best left as it is.
    case searchKeepsDense = "search-keeps-dense"
}
