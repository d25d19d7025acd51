import ConverterKit
import Decompositions

/// Plain loops over Conv, ConvTranspose, Gemm and MatMul, for small graphs: what a rewritten graph must still compute.
struct Dense {
    var shape: [Int]
    var values: [Float]

    var count: Int { shape.reduce(1, *) }

    init(_ shape: [Int], _ values: [Float]) {
        self.shape = shape
        self.values = values
    }

    init(_ tensor: Tensor) throws {
        self.init(tensor.shape.map { Int($0) }, try tensor.floats())
    }

    static func ramp(_ shape: [Int]) -> Dense {
        Dense(shape, (0..<shape.reduce(1, *)).map { Float(($0 * 7) % 23) / 4 - 2.5 })
    }

    /// Runs the graph's nodes on the input `x` and returns the value `name`.
    static func run(_ graph: Graph, x: Dense, result name: String) throws -> Dense {
        var values: [String: Dense] = ["x": x]
        for tensor in graph.initializers where tensor.elementType?.isFactorizable == true {
            values[tensor.name ?? ""] = try Dense(tensor)
        }
        for node in graph.nodes {
            let inputs = node.inputs.map { values[$0] }
            func list(_ name: String) -> [Int]? {
                if case .ints(let values)? = node[attribute: name] { values.map { Int($0) } } else { nil }
            }
            func int(_ name: String) -> Int {
                if case .int(let value)? = node[attribute: name] { Int(value) } else { 0 }
            }
            func float(_ name: String) -> Float {
                if case .float(let value)? = node[attribute: name] { value } else { 1 }
            }
            var output: Dense?
            switch node.operation {
            case "Constant":
                if case .tensor(let tensor)? = node[attribute: "value"], tensor.elementType?.isFactorizable == true {
                    output = try Dense(tensor)
                } else if case .floats(let floats)? = node[attribute: "value_floats"] {
                    output = Dense([floats.count], floats)
                }
            case "Identity", "Cast", "Relu": output = inputs[0]
            case "Conv", "ConvTranspose":
                guard let input = inputs[0], let weight = inputs[1] else { break }
                var auto: String?
                if case .string(let bytes)? = node[attribute: "auto_pad"] {
                    auto = String(decoding: bytes, as: UTF8.self)
                }
                let window = DenseWindow(
                    strides: list("strides"), dilations: list("dilations"), pads: list("pads"), autoPad: auto,
                    outputPadding: list("output_padding"), groups: max(1, int("group")))
                output =
                    node.operation == "Conv"
                    ? window.convolve(input, weight) : window.convolveTransposed(input, weight)
                if inputs.count > 2, let bias = inputs[2] { output?.add(channelBias: bias.values) }
            case "Gemm":
                guard let a = inputs[0], let b = inputs[1] else { break }
                var product = (int("transA") != 0 ? a.transposed : a).times(int("transB") != 0 ? b.transposed : b)
                product.values = product.values.map { $0 * float("alpha") }
                if inputs.count > 2, let c = inputs[2] {
                    for index in product.values.indices {
                        product.values[index] += float("beta") * c.values[index % c.values.count]
                    }
                }
                output = product
            case "MatMul": if let a = inputs[0], let b = inputs[1] { output = a.times(b) }
            default: break
            }
            if let output { values[node.outputs[0]] = output }
        }
        guard let result = values[name] else { throw Missing(name: name) }
        return result
    }

    struct Missing: Error { let name: String }

    var transposed: Dense {
        var result = Dense([shape[1], shape[0]], values)
        for row in 0..<shape[0] {
            for column in 0..<shape[1] { result.values[column * shape[0] + row] = values[row * shape[1] + column] }
        }
        return result
    }

    /// The matrix product, the left's or the right's batch of matrices kept (one of the two has none or ones).
    func times(_ other: Dense) -> Dense {
        let a = shape.count == 1 ? [1] + shape : shape
        let b = other.shape.count == 1 ? other.shape + [1] : other.shape
        let rows = a[a.count - 2]
        let depth = a[a.count - 1]
        let columns = b[b.count - 1]
        let aBatch = a.dropLast(2).reduce(1, *)
        let bBatch = b.dropLast(2).reduce(1, *)
        let batch = max(aBatch, bBatch)
        var values = [Float](repeating: 0, count: batch * rows * columns)
        for item in 0..<batch {
            let left = aBatch == 1 ? 0 : item * rows * depth
            let right = bBatch == 1 ? 0 : item * depth * columns
            for row in 0..<rows {
                for column in 0..<columns {
                    var sum: Float = 0
                    for k in 0..<depth {
                        sum += self.values[left + row * depth + k] * other.values[right + k * columns + column]
                    }
                    values[(item * rows + row) * columns + column] = sum
                }
            }
        }
        let rank = max(a.count, b.count)
        let lead = aBatch >= bBatch ? a.dropLast(2) : b.dropLast(2)
        var result = [Int](repeating: 1, count: rank - 2 - lead.count) + lead
        if shape.count > 1 { result.append(rows) }
        if other.shape.count > 1 { result.append(columns) }
        return Dense(result, values)
    }

    mutating func add(channelBias bias: [Float]) {
        let inner = shape[2...].reduce(1, *)
        for index in values.indices { values[index] += bias[index / inner % shape[1]] }
    }

    /// Largest difference by element, over the largest element.
    func relativeDifference(to other: Dense) -> Float {
        guard shape == other.shape else { return .infinity }
        let scale = values.map { abs($0) }.max() ?? 1
        return (zip(values, other.values).map { abs($0 - $1) }.max() ?? 0) / max(scale, 1e-20)
    }
}
