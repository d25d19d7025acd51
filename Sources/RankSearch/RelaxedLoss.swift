/// RENE's loss on a step's candidates, as a function of logits, with its gradient.
///
/// A layer has a softmax `p` over the candidates of each family `f`, and a softmax `q` over its families with the dense
/// layer last. With `M_f(p) = ‖W − Σ_r p_r Ŵ_r‖² / ‖W‖²` (METHOD §4) the layer's relative mixture error is
///
///     E = (Σ_f q_f) · Σ_f q_f M_f(p_f),
///
/// exact for one family (the dense layer contributes no error, so `W − mix = (1 − q_dense)(W − Σ p Ŵ)`), and for
/// several an upper bound, since nothing is known of the products between families (Jensen). The rank loss is the
/// expected cost as a share of the whole model, one for each resource that has a budget:
///
///     L_r = γ S^β,   S = rest + Σ_i Σ p · share
///     loss = log(ε + Σ_i E_i) + Σ_k μ_k log L_r,k
///
/// which is the logarithm of `L · L_r^μ` (METHOD §5) and has the same minima; the logarithm takes the scale out of the
/// step size. `ε` is the number of layers, the error if every weight vanished. With a small one the product is least
/// where nothing is compressed, whatever `μ`: METHOD §3, "what the published loss cannot do".
///
/// A mixture of candidates is closer to `W` than any one of them, so what is least for `E` need not be where one
/// probability is 1, and its largest probability may be a poor choice. `blend` moves `E` over to the expected error
/// `Σ_f q_f Σ_r p_r e_r`, which adds the variance of the mixture and is least at a single candidate.
struct RelaxedLoss {
    /// METHOD §3. γ only adds a constant to the loss.
    static let gamma = 0.4
    static let beta = 0.8

    let layers: [RelaxedLayer]
    /// By resource: share of the model outside the relaxed layers.
    let rest: [Double]
    let epsilon: Double
    let logitCount: Int

    init(layers: [RelaxedLayer], rest: [Double]) {
        self.layers = layers
        self.rest = rest
        epsilon = Double(max(1, layers.count))
        logitCount = layers.reduce(0) { $0 + $1.logitCount }
    }

    /// What an evaluation leaves behind besides the loss.
    struct Point {
        /// As the logits: probabilities within families, then between them, layer after layer.
        var probabilities: [Double]
        var gradient: [Double]
    }

    /// The loss at `logits`. `multipliers`: μ by resource; `blend` in 0...1.
    ///
    /// Throws `search.non-finite` naming the layer whose error is not finite. Cost: `O(m²)` for each family of `m`
    /// candidates.
    func evaluate(
        _ logits: [Double], multipliers: [Double], blend: Double, into point: inout Point
    ) throws -> Double {
        var error = epsilon
        var shares = rest
        var offset = 0
        for layer in layers {
            let range = offset..<(offset + layer.logitCount)
            let own = layer.evaluate(logits, range, blend: blend, shares: &shares, into: &point)
            guard own.isFinite else {
                throw SearchError.nonFinite("the mixture's error", layer: layer.id, decomposition: "the search")
            }
            error += own
            offset = range.upperBound
        }
        // ∂loss/∂S by resource; S is positive, since no candidate costs nothing.
        var slopes = shares
        var loss = error.logarithm
        for index in shares.indices {
            let share = max(shares[index], .leastNormalMagnitude)
            slopes[index] = multipliers[index] * Self.beta / share
            loss += multipliers[index] * (Self.gamma.logarithm + Self.beta * share.logarithm)
        }
        offset = 0
        for layer in layers {
            let range = offset..<(offset + layer.logitCount)
            layer.finishGradient(range, errorSlope: 1 / error, shareSlopes: slopes, in: &point)
            offset = range.upperBound
        }
        return loss
    }

    /// A point for `evaluate` to fill.
    func emptyPoint() -> Point {
        let zeros = [Double](repeating: 0, count: logitCount)
        return Point(probabilities: zeros, gradient: zeros)
    }
}
