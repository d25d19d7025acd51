extension KnapsackSolver {
    /// Moves layers until every capacity holds, each time by the option that removes the most excess for the error it
    /// adds. Stops where none removes any.
    func repaired(_ start: [Int]) -> [Int] {
        var picks = start
        var used = capacities.indices.map { amount(picks, $0) }
        while zip(used, capacities).contains(where: { $0 > $1 }) {
            var best: (layer: Int, option: Int, rate: Double)?
            for layer in options.indices {
                let current = options[layer][picks[layer]]
                for (index, option) in options[layer].enumerated() {
                    let removed = excess(used) - excess(used, current, option)
                    guard removed > 0 else { continue }
                    let rate = removed / (max(0, option.error - current.error) + 1e-12)
                    if let found = best, found.rate >= rate { continue }
                    best = (layer, index, rate)
                }
            }
            guard let best else { return picks }
            let (from, to) = (options[best.layer][picks[best.layer]], options[best.layer][best.option])
            for resource in used.indices { used[resource] += to.amounts[resource] - from.amounts[resource] }
            picks[best.layer] = best.option
        }
        return picks
    }

    /// Summed relative excess over the capacities, after one layer moves from an option to another.
    private func excess(_ used: [Int], _ from: Candidate? = nil, _ to: Candidate? = nil) -> Double {
        var sum = 0.0
        for resource in used.indices {
            var amount = used[resource]
            if let from, let to { amount += to.amounts[resource] - from.amounts[resource] }
            sum += Double(max(0, amount - capacities[resource])) / Double(max(1, capacities[resource]))
        }
        return sum
    }

    /// Lowers the error of a feasible choice by single moves, and where none fits by exchanges: one layer takes a
    /// dearer option, another pays for it.
    func improve(_ picks: inout [Int]) {
        var slack = capacities.indices.map { capacities[$0] - amount(picks, $0) }
        for _ in 0..<(10 * options.count + 100) {
            if let move = bestMove(picks, slack) {
                apply([move], to: &picks, &slack)
            } else if let exchange = bestExchange(picks, slack) {
                apply(exchange, to: &picks, &slack)
            } else {
                return
            }
        }
    }

    private typealias Move = (layer: Int, option: Int, gain: Double)

    private func apply(_ moves: [Move], to picks: inout [Int], _ slack: inout [Int]) {
        for move in moves {
            let (from, to) = (options[move.layer][picks[move.layer]], options[move.layer][move.option])
            for resource in slack.indices { slack[resource] -= to.amounts[resource] - from.amounts[resource] }
            picks[move.layer] = move.option
        }
    }

    private func bestMove(_ picks: [Int], _ slack: [Int]) -> Move? {
        var best: Move?
        for layer in options.indices {
            let current = options[layer][picks[layer]]
            for (index, option) in options[layer].enumerated() where option.error < current.error {
                let gain = current.error - option.error
                if gain <= best?.gain ?? 0 { continue }
                if fits(option, in: slack, replacing: current) { best = (layer, index, gain) }
            }
        }
        return best
    }

    private func fits(_ option: Candidate, in slack: [Int], replacing current: Candidate) -> Bool {
        for resource in slack.indices where option.amounts[resource] - current.amounts[resource] > slack[resource] {
            return false
        }
        return true
    }

    /// The best pair of a layer that gains and one that gives. Only the few options next to the present one, by error,
    /// are tried on either side.
    private func bestExchange(_ picks: [Int], _ slack: [Int]) -> [Move]? {
        let reach = 4
        var gaining: [Move] = []
        var giving: [Move] = []
        for layer in options.indices {
            let current = options[layer][picks[layer]].error
            let order = options[layer].indices.map { (index: $0, gain: current - options[layer][$0].error) }
            for (index, gain) in order.filter({ $0.gain > 0 }).sorted(by: { $0.gain < $1.gain }).prefix(reach) {
                gaining.append((layer, index, gain))
            }
            for (index, gain) in order.filter({ $0.gain < 0 }).sorted(by: { $0.gain > $1.gain }).prefix(reach) {
                giving.append((layer, index, gain))
            }
        }
        var best: [Move]?
        var most = 1e-12
        // Least loss first, so that the search for a partner can stop at the first one that cannot beat `most`.
        giving.sort { $0.gain > $1.gain }
        for up in gaining where up.gain > most {
            for down in giving where down.layer != up.layer {
                let gain = up.gain + down.gain
                if gain <= most { break }
                let fits = slack.indices.allSatisfy { resource in
                    slack[resource] >= change(up, picks, resource) + change(down, picks, resource)
                }
                if fits {
                    best = [down, up]
                    most = gain
                    break
                }
            }
        }
        return best
    }

    private func change(_ move: Move, _ picks: [Int], _ resource: Int) -> Int {
        options[move.layer][move.option].amounts[resource] - options[move.layer][picks[move.layer]].amounts[resource]
    }
}
