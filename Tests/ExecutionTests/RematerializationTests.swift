import ConverterKit
import TestSupport
import Testing

@testable import Execution

/// Values of the forward pass computed again instead of kept: the same results in less memory.
@Suite("Training within a limit of memory")
struct RematerializationTests {
    /// Sixteen convolutions, each with a Relu, behind each other.
    private static func chain(batch: Int) -> Model {
        var builder = ModelBuilder()
        var x = builder.input("images", [batch, 8, 12, 12])
        for _ in 0..<16 { x = builder.node("Relu", [builder.convolution(x, [8, 8, 3, 3])]) }
        x = builder.node("Flatten", [builder.node("GlobalAveragePool", [x])])
        let logits = builder.node("Gemm", [x, builder.weight([8, 10]), builder.weight([10])])
        return builder.model(logits)
    }

    private struct Result: Equatable {
        var bytes: Int
        var loss: Float
        var gradients: [String: [Float]]
        var statistics: [String: [Float]]
    }

    private static func step(_ model: Model, _ shape: [Int], limit: Int? = nil) throws -> Result {
        let graph = TrainingGraph(threads: 2)
        let images = try graph.input("images", type: .float32, shape: shape)
        let labels = try graph.input("labels", type: .int64, shape: [shape[0]])
        let trained = Set(model.graph.initializers.compactMap(\.name))
        let values = try graph.add(
            model, inputs: ["images": images], mode: .init(trained: trained, normalizesByBatch: true))
        let logits = try #require(values(model.graph.outputs.first?.name ?? ""))
        let plan = try graph.compiled(loss: graph.crossEntropy(logits, labels: labels), memoryLimit: limit)
        let pixels = (0..<shape.reduce(1, *)).map { Float($0 * 7919 % 101) / 50 - 1 }
        try plan.set(images, to: TensorValue(pixels, shape: shape))
        try plan.set(labels, to: TensorValue((0..<shape[0]).map { Int64($0 % 10) }, shape: [shape[0]]))
        let loss = try plan.step()
        plan.followStatistics()
        var gradients: [String: [Float]] = [:]
        for name in plan.parameterNames { gradients[name] = try plan.gradient(name)?.floats() }
        return Result(bytes: plan.byteCount, loss: loss, gradients: gradients, statistics: plan.statistics)
    }

    @Test(arguments: [3, 16])
    func aChainOfSixteenLayersFitsInTwoThirdsOfTheMemory(batch: Int) throws {
        let model = Self.chain(batch: batch)
        let whole = try Self.step(model, [batch, 8, 12, 12])
        for percent in [90, 75, 66] {
            let limit = whole.bytes * percent / 100
            var less = try Self.step(model, [batch, 8, 12, 12], limit: limit)
            #expect(less.bytes <= limit)
            less.bytes = whole.bytes
            #expect(less == whole)
        }
    }

    @Test func normalizationsAndResidualsGiveTheSame() throws {
        let model = SampleModels.convolutional(batch: 16)
        let whole = try Self.step(model, [16, 3, 12, 12])
        for percent in [95, 85] {
            var less = try Self.step(model, [16, 3, 12, 12], limit: whole.bytes * percent / 100)
            #expect(less.bytes <= whole.bytes * percent / 100)
            less.bytes = whole.bytes
            #expect(less == whole)
        }
    }

    @Test func aLimitBelowTheLeastIsRefusedWithIt() throws {
        let model = Self.chain(batch: 3)
        let error = #expect(throws: ConversionError.self) { try Self.step(model, [3, 8, 12, 12], limit: 1000) }
        #expect(error?.code == "execution.memory")
        #expect(error?.message.contains("at least") == true)
    }
}
