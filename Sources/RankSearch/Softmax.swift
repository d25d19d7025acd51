/// Softmax over a range of a flat vector, and its vector-Jacobian product.
enum Softmax {
    /// `p_i = exp(a_i − max a) / Σ`.
    static func apply(_ logits: [Double], _ range: Range<Int>, into probabilities: inout [Double]) {
        var largest = -Double.infinity
        for index in range { largest = max(largest, logits[index]) }
        var sum = 0.0
        for index in range {
            let value = (logits[index] - largest).exponential
            probabilities[index] = value
            sum += value
        }
        for index in range { probabilities[index] /= sum }
    }

    /// `∂/∂a_i = p_i (g_i − Σ_j p_j g_j)`, in place of `g` in the gradient.
    static func pullBack(_ range: Range<Int>, _ point: inout RelaxedLoss.Point) {
        var mean = 0.0
        for index in range { mean += point.probabilities[index] * point.gradient[index] }
        for index in range {
            point.gradient[index] = point.probabilities[index] * (point.gradient[index] - mean)
        }
    }
}
