import ConverterKit
import Execution
import Testing

@testable import Conversion

@Suite("Measuring outputs")
struct MeasuringTests {
    private func output(_ values: [Float], _ shape: [Int], name: String = "y") throws -> OutputValues {
        try OutputValues(name: name, TensorValue(values, shape: shape), samples: shape[0])
    }

    @Test("the relative error is that of all elements together, over all batches")
    func relativeError() throws {
        var difference = OutputDifference()
        difference.add([try output([3, 0], [1, 2])], [try output([3, 1], [1, 2])], samples: 1)
        difference.add([try output([0, 4], [1, 2])], [try output([2, 4], [1, 2])], samples: 1)
        #expect(abs(difference.relativeError - (5.0 / 25).squareRoot()) < 1e-12)
        #expect(difference.agreement == 100)
        #expect(difference.outputs["y"]?.largestAbsolute == 2)
    }

    @Test("agreement counts the samples of the same first class")
    func agreement() throws {
        var difference = OutputDifference()
        difference.add([try output([1, 2, 2, 1], [2, 2])], [try output([1, 2, 1, 2], [2, 2])], samples: 2)
        #expect(difference.agreement == 50)
    }

    @Test("an output of other extents, or that is not finite, is wrong altogether")
    func wrongOutputs() throws {
        for other in [try output([1], [1, 1]), try output([1, .nan], [1, 2]), try output([1, .infinity], [1, 2])] {
            var difference = OutputDifference()
            difference.add([try output([1, 2], [1, 2])], [other], samples: 1)
            #expect(difference.relativeError >= 1)
        }
    }

    @Test("the loss is the same for logits, probabilities and their logarithms")
    func loss() throws {
        let logits: [Float] = [1, 2, 3]
        let probabilities: [Float] = [0.09003057, 0.24472848, 0.66524094]
        let logarithms: [Float] = [-2.4076059, -1.4076059, -0.4076059]
        for (kind, row) in [
            (ScoreKind.logits, logits), (.probabilities, probabilities), (.logProbabilities, logarithms),
        ] {
            var score = ClassifierScore(kind)
            try score.add([output(row, [1, 3])], labels: [1])
            #expect(abs(score.loss - 1.4076059) < 1e-5 && score.top1 == 0, "\(kind)")
        }
        var score = ClassifierScore(.logits)
        #expect(throws: ConversionError.self) { try score.add([output(logits, [1, 3])], labels: [3]) }
        #expect(throws: ConversionError.self) { try score.add([output(logits, [1, 3])], labels: [-1]) }
        #expect(throws: ConversionError.self) { try score.add([output([1], [1, 1])], labels: [0]) }
    }

    @Test("samples are drawn as the graph uses them, the same for the same seed")
    func samples() throws {
        var graph = Graph(name: "g")
        func input(_ name: String, _ type: ElementType, _ shape: [TensorType.Dimension]) -> ValueInfo {
            ValueInfo(name: name, tensorType: TensorType(elementTypeNumber: type.rawValue, shape: shape))
        }
        graph.inputs = [
            input("image", .float32, [.symbol("N"), .fixed(3), .unknown, .unknown]),
            input("ids", .int64, [.symbol("N"), .symbol("S")]),
            input("attention_mask", .int64, [.symbol("N"), .symbol("S")]),
        ]
        graph.initializers = [
            Tensor(name: "table", elementTypeNumber: 1, shape: [5, 2], payload: .none)
        ]
        graph.nodes = [Node(name: nil, operation: "Gather", inputs: ["table", "ids"], outputs: ["e"])]
        let model = Model(format: "onnx", path: "", graph: graph)
        let data = try SampleInputs(for: model, inputShapes: ["image": [1, 3, 8, 9]], seed: 1).data(batches: 1, size: 1)
        let inputs = try data.inputs(of: data.batches(of: 9)[0])
        let image = try #require(try inputs["image"]?.tensor())
        #expect(image.shape == [1, 3, 8, 9])
        let values = try image.floats()[..<72]
        let mean = values.reduce(0, +) / 72
        #expect(abs(mean) < 1e-4 && abs(values.reduce(0) { $0 + $1 * $1 } / 72 - 1) < 1e-3)
        #expect(try inputs["ids"]?.tensor().integers().allSatisfy { (0..<5).contains($0) } == true)
        #expect(try inputs["attention_mask"]?.tensor().integers().allSatisfy { $0 == 1 } == true)
        let again = try SampleInputs(for: model, inputShapes: ["image": [1, 3, 8, 9]], seed: 1).data(
            batches: 1, size: 1)
        #expect(try again.inputs(of: again.batches(of: 9)[0])["image"]?.tensor().floats() == image.floats())
    }
}
