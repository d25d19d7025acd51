internal import CKernels
internal import Execution
internal import Glibc

/// The optimizers: from gradients to new weights, in place.
final class WeightUpdate {
    private let settings: FineTuningSettings
    /// Velocity, or the two moments, by parameter.
    private(set) var state: [[Float]] = []
    private(set) var steps = 0

    init(_ settings: FineTuningSettings) { self.settings = settings }

    /// Goes on from a state that was kept.
    func restore(_ state: [[Float]], steps: Int) { (self.state, self.steps) = (state, steps) }

    /// One step with the gradients of the plan's last. Gives the norm of the gradient before it was clipped.
    func apply(to plan: TrainingPlan, rate: Double) -> Double {
        var squares = 0.0
        unsafe plan.update { _, _, gradient, count in squares += unsafe rene_sum_of_squares(gradient, count) }
        let norm = squares.squareRoot()
        guard norm.isFinite else { return norm }
        let scale = settings.clipNorm > 0 && norm > settings.clipNorm ? settings.clipNorm / norm : 1
        steps += 1
        let slots = settings.optimizer == .sgd ? 1 : 2
        unsafe plan.update { index, weight, gradient, count in
            while state.count < (index + 1) * slots { state.append([]) }
            for slot in 0..<slots where state[index * slots + slot].count != count {
                state[index * slots + slot] = [Float](repeating: 0, count: count)
            }
            // Biases and the scales of normalizations are few, and shrinking them serves nothing.
            let decay = Float(plan.parameterRank(index) > 1 ? settings.weightDecay : 0)
            switch settings.optimizer {
            case .sgd:
                unsafe state[index].withUnsafeMutableBufferPointer { velocity in
                    unsafe rene_sgd(
                        weight, velocity.baseAddress, gradient, count, Float(scale), Float(rate),
                        Float(settings.momentum), 0, decay, 1)
                }
            case .adamw:
                var (first, second) = (state[2 * index], state[2 * index + 1])
                (state[2 * index], state[2 * index + 1]) = ([], [])
                let (beta1, beta2) = (0.9, 0.999)
                unsafe rene_adamw(
                    weight, &first, &second, gradient, count, Float(scale), Float(rate), Float(beta1), Float(beta2),
                    1e-8, decay, 0, Float(1 - pow(beta1, Double(steps))), Float(1 - pow(beta2, Double(steps))))
                (state[2 * index], state[2 * index + 1]) = (first, second)
            }
        }
        return norm
    }
}
