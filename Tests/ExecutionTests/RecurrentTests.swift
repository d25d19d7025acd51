import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

/// Recurrent layers against plain loops in double precision.
@Suite("Recurrent layers")
struct RecurrentTests {
    private let length = 5
    private let batch = 3
    private let inputs = 4
    private let hidden = 6

    private func sigmoid(_ x: Double) -> Double { 1 / (1 + (-x).exponential) }

    @Test("An LSTM of both directions and uneven lengths agrees with loops", arguments: [false, true])
    func lstm(batchFirst: Bool) throws {
        var random = SeededGenerator(seed: 7)
        let x = random.normals(length * batch * inputs)
        let (w, r) = (random.normals(2 * 4 * hidden * inputs), random.normals(2 * 4 * hidden * hidden))
        let (b, p) = (random.normals(2 * 8 * hidden), random.normals(2 * 3 * hidden))
        let lengths: [Int32] = [5, 2, 3]
        let xShape = batchFirst ? [batch, length, inputs] : [length, batch, inputs]
        let results = try SingleOperator.run(
            "LSTM", ["direction": "bidirectional", "hidden_size": hidden, "layout": batchFirst],
            [
                .floats(x, xShape), .floats(w, [2, 4 * hidden, inputs]), .floats(r, [2, 4 * hidden, hidden]),
                .floats(b, [2, 8 * hidden]), .elements(lengths, [batch], .int32), nil, nil,
                .floats(p, [2, 3 * hidden]),
            ], outputs: 3, version: 14)
        let (y, yh) = (try results[0].tensor().floats(), try results[1].tensor().floats())
        for direction in 0..<2 {
            for row in 0..<batch {
                var (h, c) = ([Double](repeating: 0, count: hidden), [Double](repeating: 0, count: hidden))
                for step in 0..<Int(lengths[row]) {
                    let time = direction == 0 ? step : Int(lengths[row]) - 1 - step
                    let input = (batchFirst ? row * length + time : time * batch + row) * inputs
                    let gates = (0..<4 * hidden).map { gate -> Double in
                        var sum = Double(b[direction * 8 * hidden + gate] + b[(direction * 8 + 4) * hidden + gate])
                        for index in 0..<inputs {
                            sum += Double(x[input + index] * w[(direction * 4 * hidden + gate) * inputs + index])
                        }
                        for index in 0..<hidden {
                            sum += h[index] * Double(r[(direction * 4 * hidden + gate) * hidden + index])
                        }
                        return sum
                    }
                    for unit in 0..<hidden {
                        func peephole(_ gate: Int) -> Double { Double(p[(direction * 3 + gate) * hidden + unit]) }
                        let i = sigmoid(gates[unit] + peephole(0) * c[unit])
                        let f = sigmoid(gates[2 * hidden + unit] + peephole(2) * c[unit])
                        c[unit] = f * c[unit] + i * gates[3 * hidden + unit].hyperbolicTangent
                        h[unit] = sigmoid(gates[hidden + unit] + peephole(1) * c[unit]) * c[unit].hyperbolicTangent
                    }
                    let place =
                        batchFirst
                        ? ((row * length + time) * 2 + direction) * hidden
                        : ((time * 2 + direction) * batch + row) * hidden
                    for unit in 0..<hidden { #expect(abs(Double(y[place + unit]) - h[unit]) < 1e-4) }
                }
                let place = (batchFirst ? row * 2 + direction : direction * batch + row) * hidden
                for unit in 0..<hidden { #expect(abs(Double(yh[place + unit]) - h[unit]) < 1e-4) }
            }
        }
    }

    @Test("A GRU that resets before or after the product agrees with loops", arguments: [false, true])
    func gru(isLinear: Bool) throws {
        var random = SeededGenerator(seed: 8)
        let x = random.normals(length * batch * inputs)
        let (w, r) = (random.normals(3 * hidden * inputs), random.normals(3 * hidden * hidden))
        let (b, start) = (random.normals(6 * hidden), random.normals(batch * hidden))
        let results = try SingleOperator.run(
            "GRU", ["direction": "reverse", "hidden_size": hidden, "linear_before_reset": isLinear],
            [
                .floats(x, [length, batch, inputs]), .floats(w, [1, 3 * hidden, inputs]),
                .floats(r, [1, 3 * hidden, hidden]), .floats(b, [1, 6 * hidden]), nil,
                .floats(start, [1, batch, hidden]),
            ], outputs: 2, version: 14)
        let y = try results[0].tensor().floats()
        for row in 0..<batch {
            var h = (0..<hidden).map { Double(start[row * hidden + $0]) }
            for time in (0..<length).reversed() {
                func input(_ gate: Int) -> Double {
                    (0..<inputs).reduce(Double(b[gate])) {
                        $0 + Double(x[(time * batch + row) * inputs + $1] * w[gate * inputs + $1])
                    }
                }
                func recurrent(_ gate: Int, _ state: [Double]) -> Double {
                    (0..<hidden).reduce(0) { $0 + state[$1] * Double(r[gate * hidden + $1]) }
                }
                func bias(_ gate: Int) -> Double { Double(b[3 * hidden + gate]) }
                let z = (0..<hidden).map { sigmoid(input($0) + recurrent($0, h) + bias($0)) }
                let reset = (hidden..<2 * hidden).map { sigmoid(input($0) + recurrent($0, h) + bias($0)) }
                let scaled = zip(reset, h).map { $0 * $1 }
                let candidate = (0..<hidden).map { unit -> Double in
                    let gate = 2 * hidden + unit
                    return isLinear
                        ? (input(gate) + reset[unit] * (recurrent(gate, h) + bias(gate))).hyperbolicTangent
                        : (input(gate) + recurrent(gate, scaled) + bias(gate)).hyperbolicTangent
                }
                h = (0..<hidden).map { (1 - z[$0]) * candidate[$0] + z[$0] * h[$0] }
                for unit in 0..<hidden {
                    #expect(abs(Double(y[(time * batch + row) * hidden + unit]) - h[unit]) < 1e-4)
                }
            }
        }
    }

    @Test func weightsOfAnotherShapeAreRefused() throws {
        #expect(throws: ConversionError.self) {
            try SingleOperator.run(
                "RNN", ["hidden_size": 2],
                [.floats([0, 0], [1, 1, 2]), .floats([0, 0], [1, 2, 1]), .floats([0, 0, 0, 0], [1, 2, 2])],
                outputs: 2)
        }
    }
}

extension Double {
    fileprivate var exponential: Double {
        // By its series after halving, precise enough here and free of the libraries under test.
        var (x, sum, term) = (self / 1024, 1.0, 1.0)
        for index in 1..<12 {
            term *= x / Double(index)
            sum += term
        }
        x = sum
        for _ in 0..<10 { x *= x }
        return x
    }

    fileprivate var hyperbolicTangent: Double {
        let power = (2 * self).exponential
        return power.isFinite ? (power - 1) / (power + 1) : 1
    }
}
