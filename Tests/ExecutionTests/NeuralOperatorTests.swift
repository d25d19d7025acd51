import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

/// Bad uses of operators of convolution, pooling, normalization, attention and products: each is refused, none traps.
@Suite("Uses of neural operators that do not fit")
struct NeuralOperatorTests {
    struct Use: Sendable, CustomTestStringConvertible {
        var name: String
        var domain = ""
        var shapes: [[Int]]
        var attributes: AttributeList = [:]
        var version = 18

        var testDescription: String { "\(name) \(shapes) \(attributes.values.map(\.name))" }
    }

    static let misfits = [
        Use(name: "MatMul", shapes: [[2, 3], [4, 5]]),
        Use(name: "MatMul", shapes: [[], [4]]),
        Use(name: "MatMul", shapes: [[2, 3, 4], [3, 4, 5]]),
        Use(name: "MatMul", shapes: [[1 << 33, 1], [1, 2]]),
        Use(name: "Gemm", shapes: [[2, 3], [3, 4], [5]]),
        Use(name: "Gemm", shapes: [[2, 3, 1], [3, 4]]),
        Use(name: "Einsum", shapes: [[2, 3], [3, 4]], attributes: ["equation": "ij,jk->il"]),
        Use(name: "Einsum", shapes: [[2, 3]], attributes: ["equation": "ij,jk"]),
        Use(name: "Einsum", shapes: [[2, 3]], attributes: ["equation": "....ij"]),
        Use(name: "Einsum", shapes: [[2, 3]], attributes: ["equation": "ij->ijj"]),
        Use(name: "Einsum", shapes: [[2, 3]]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 2, 3, 3]]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]], attributes: ["strides": [0, 1]]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]], attributes: ["pads": [Int.max, 0, 0, 0]]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]], attributes: ["group": Int.max]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]], attributes: ["group": 0]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]], attributes: ["dilations": [1 << 27, 1]]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]], attributes: ["auto_pad": "SOMEHOW"]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 5, 5]]),
        Use(name: "Conv", shapes: [[1, 3], [2, 3]]),
        Use(name: "Conv", shapes: [[1, 3, 4, 4], [2, 3, 3, 3], [3]]),
        Use(name: "ConvTranspose", shapes: [[1, 3, 4, 4], [2, 3, 3, 3]]),
        Use(name: "ConvTranspose", shapes: [[1, 2, 4, 4], [2, 3, 3, 3]], attributes: ["output_shape": [-1, 4]]),
        Use(name: "ConvTranspose", shapes: [[1, 2, 4, 4], [2, 3, 3, 3]], attributes: ["pads": [9, 9, 9, 9]]),
        Use(name: "MaxPool", shapes: [[1, 2, 4, 4]]),
        Use(name: "MaxPool", shapes: [[1, 2]], attributes: ["kernel_shape": [1]]),
        Use(name: "MaxPool", shapes: [[1, 2, 4]], attributes: ["kernel_shape": [1 << 27], "pads": [1 << 27, 0]]),
        Use(name: "AveragePool", shapes: [[1, 2, 4, 4]], attributes: ["kernel_shape": [9, 1]]),
        Use(name: "AveragePool", shapes: [[1, 2, 4, 4]], attributes: ["kernel_shape": [-1, 1]]),
        Use(name: "GlobalAveragePool", shapes: [[3]]),
        Use(name: "BatchNormalization", shapes: [[1, 3, 4], [3], [3], [3], [2]]),
        Use(name: "BatchNormalization", shapes: [[], [1], [1], [1], [1]]),
        Use(name: "LayerNormalization", shapes: [[2, 3], [2]]),
        Use(name: "LayerNormalization", shapes: [[2, 3], [3]], attributes: ["axis": 5]),
        Use(name: "GroupNormalization", shapes: [[1, 4, 2], [4], [4]], attributes: ["num_groups": 3], version: 21),
        Use(name: "InstanceNormalization", shapes: [[4], [4], [4]]),
        Use(name: "LRN", shapes: [[1, 3, 4]], attributes: ["size": -1]),
        Use(name: "Attention", shapes: [[1, 2, 8], [1, 2, 8], [1, 2, 8]], version: 23),
        Use(
            name: "Attention", shapes: [[1, 2, 8], [1, 2, 8], [1, 2, 8]],
            attributes: ["q_num_heads": 3, "kv_num_heads": 2], version: 23),
        Use(name: "Attention", domain: "com.microsoft", shapes: [[1, 2, 8], [8, 24]], version: 1),
        Use(
            name: "Attention", domain: "com.microsoft", shapes: [[1, 2, 8], [8, 24]],
            attributes: ["num_heads": 2, "qkv_hidden_sizes": [24]], version: 1),
        Use(
            name: "MultiHeadAttention", domain: "com.microsoft", shapes: [[1, 2, 8], [1, 2, 9], [1, 2, 8]],
            attributes: ["num_heads": 2], version: 1),
    ]

    @Test(arguments: misfits)
    func isRefused(_ use: Use) throws {
        let program = Program(pool: ThreadPool.shared(width: 1))
        let inputs = use.shapes.enumerated().map {
            program.addInput("\($0.offset)", TensorFact(type: .float32, shape: $0.element))
        }
        let node = OperatorUse(
            OperatorKey(domain: use.domain, name: use.name), use.attributes, version: use.version, node: "the node")
        #expect(throws: ConversionError.self) { try program.emit(node, inputs, wanted: [true]) }
    }
}
