public import ConverterKit

/// Small models of the usual parts; their input is named `images`.
public enum SampleModels {
    /// Convolutions as they are and as chains, batch normalizations, a residual, both poolings, a dense layer.
    public static func convolutional(batch: Int) -> Model {
        var builder = ModelBuilder()
        let images = builder.input("images", [batch, 3, 12, 12])
        var x = builder.convolution(images, [16, 3, 3, 3])
        x = builder.node("Relu", [builder.normalization(x, channels: 16)])
        x = builder.node("MaxPool", [x], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
        let residual = x
        // Tensor-train form.
        x = builder.convolution(x, [6, 16, 1, 1])
        x = builder.convolution(x, [6, 6, 3, 1])
        x = builder.convolution(x, [5, 6, 1, 3])
        x = builder.convolution(x, [16, 5, 1, 1])
        x = builder.node("Relu", [builder.normalization(x, channels: 16)])
        // Canonical polyadic form.
        x = builder.convolution(x, [8, 16, 1, 1])
        x = builder.convolution(x, [8, 1, 3, 1], groups: 8)
        x = builder.convolution(x, [8, 1, 1, 3], groups: 8)
        x = builder.convolution(x, [16, 8, 1, 1])
        x = builder.node("Add", [builder.normalization(x, channels: 16), residual])
        x = builder.node("Relu", [x])
        x = builder.convolution(x, [24, 16, 3, 3], stride: 2)
        x = builder.node("Relu", [builder.normalization(x, channels: 24)])
        x = builder.node(
            "AveragePool", [x], ["kernel_shape": .ints([2, 2]), "strides": .ints([1, 1])])
        x = builder.node("Flatten", [builder.node("GlobalAveragePool", [x])])
        x = builder.node(
            "Gemm", [x, builder.weight([10, 24]), builder.weight([10])], ["transB": .int(1)])
        return builder.model(x)
    }

    /// Attention over four heads and a feed-forward part, each with its normalization and residual.
    public static func transformer(batch: Int) -> Model {
        let (tokens, width, heads) = (24, 32, 4)
        var builder = ModelBuilder()
        let x = builder.input("images", [batch, tokens, width])
        func normalized(_ x: String) -> String {
            builder.node(
                "LayerNormalization", [x, builder.weight([width], center: 1), builder.weight([width])],
                ["axis": .int(-1)])
        }
        func dense(_ x: String, _ from: Int, _ to: Int) -> String {
            builder.node("Add", [builder.node("MatMul", [x, builder.weight([from, to])]), builder.weight([to])])
        }
        let input = normalized(x)
        let split = builder.integers([batch, tokens, heads, width / heads])
        let parts = (0..<3).map { index in
            builder.node(
                "Transpose", [builder.node("Reshape", [dense(input, width, width), split])],
                ["perm": .ints(index == 1 ? [0, 2, 3, 1] : [0, 2, 1, 3])])
        }
        var scores = builder.node("MatMul", [parts[0], parts[1]])
        scores = builder.node("Mul", [scores, builder.weight([1], center: 0.35, spread: 0)])
        scores = builder.node("Softmax", [scores], ["axis": .int(-1)])
        var mixed = builder.node(
            "Transpose", [builder.node("MatMul", [scores, parts[2]])], ["perm": .ints([0, 2, 1, 3])])
        mixed = builder.node("Reshape", [mixed, builder.integers([batch, tokens, width])])
        let first = builder.node("Add", [dense(mixed, width, width), x])
        let inner = builder.node("Gelu", [dense(normalized(first), width, 4 * width)])
        let second = builder.node("Add", [dense(inner, 4 * width, width), first])
        return builder.model(second)
    }
}
