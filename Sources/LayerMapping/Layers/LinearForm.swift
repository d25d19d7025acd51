/// How a Gemm or MatMul uses its constant operand.
struct LinearForm: Sendable, Hashable {
    /// The operand that is the weight.
    var weightInput: Int
    /// The weight is stored `[in, out]`; otherwise `[out, in]`.
    var storesInputFirst: Bool
    /// The activation stands left of the weight in a plain product over the activation as it is stored: `X · W`;
    /// otherwise `W · X`. A Gemm that transposes its activation turns the sides round.
    var activationOnLeft: Bool
    /// Leading extents of 1 of a MatMul's weight, which may set the rank of the product.
    var leadingOnes: Int
    var isGemm: Bool
}

/// How a Conv or ConvTranspose moves over its spatial axes. Lists have one entry by axis; pads has the begins of all
/// axes, then the ends.
struct ConvolutionForm: Sendable, Hashable {
    var isTransposed: Bool
    var kernel: [Int]
    var strides: [Int]
    var dilations: [Int]
    var pads: [Int]
    /// As stated; `nil` when explicit pads count.
    var autoPad: String?
    var outputPadding: [Int]
    var groups: Int
}

/// How a node uses its weight.
enum LayerForm: Sendable, Hashable {
    case convolution(ConvolutionForm)
    case linear(LinearForm)

    /// Equal for nodes that can use the same factors: the same layout of each factor, whatever the strides.
    var factorLayout: FactorLayout {
        switch self {
        case .convolution(let form):
            FactorLayout(linear: nil, isTransposed: form.isTransposed, kernel: form.kernel, groups: form.groups)
        case .linear(let form): FactorLayout(linear: form, isTransposed: false, kernel: [], groups: 1)
        }
    }
}

/// The part of a form that decides in which layout factors are stored.
struct FactorLayout: Sendable, Hashable {
    var linear: LinearForm?
    var isTransposed: Bool
    var kernel: [Int]
    var groups: Int
}
