import ConverterKit
import Execution
import TestSupport
import Testing

@testable import Conversion

@Suite("Data for a model")
struct LabelledDataTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func model(
        _ inputs: [(String, ElementType, [TensorType.Dimension])], metadata: [MetadataEntry] = []
    ) -> Model {
        var graph = Graph(name: "g")
        graph.inputs = inputs.map {
            ValueInfo(name: $0.0, tensorType: TensorType(elementTypeNumber: $0.1.rawValue, shape: $0.2))
        }
        var model = Model(format: "onnx", path: "", graph: graph)
        model.metadata = metadata
        return model
    }

    private func write(_ arrays: (String, [UInt8])...) throws -> String {
        try folder.write("d.npz", NumpyBuilder.npz(arrays.map { (name: $0.0, npy: $0.1) }))
    }

    private func read(_ path: String, _ model: Model) throws -> LabelledData {
        try LabelledData([path], for: model, importer: nil)
    }

    private func code(_ path: String, _ model: Model) -> String? {
        let error = #expect(throws: ConversionError.self) { _ = try read(path, model) }
        return error?.code.name
    }

    @Test("x stands for the only input, images are normalised as the metadata say, y are labels")
    func images() throws {
        let path = try write(
            ("x", NumpyBuilder.npy("'|u1'", [3, 1, 1, 2], [0, 255, 51, 102, 255, 0])),
            ("y", NumpyBuilder.npy("'<i8'", [3], NumpyBuilder.integers([2, 0, 1]))))
        let model = model(
            [("image", .float32, [.symbol("N"), .fixed(1), .fixed(1), .fixed(2)])],
            metadata: [MetadataEntry(key: "mean", value: "0.2"), MetadataEntry(key: "std", value: "0.4")])
        let data = try read(path, model)
        #expect(data.count == 3 && data.labels == [2, 0, 1] && data.tier == .labelled)
        let batches = data.batches(of: 2)
        #expect(batches.map(\.range) == [0..<2, 2..<3])
        let value = try data.inputs(of: batches[0])["image"]?.tensor()
        #expect(value?.shape == [2, 1, 1, 2])
        let expected: [Float] = [0, 255, 51, 102].map { ($0 * Float(1.0 / 255) - 0.2) / 0.4 }
        #expect(try value?.floats() == expected)
    }

    @Test("a model of fixed batch gets its last sample again until the batch is full")
    func fixedBatch() throws {
        let path = try write(("a", NumpyBuilder.npy("'<f4'", [3, 1], NumpyBuilder.floats([1, 2, 3]))))
        let data = try read(path, model([("a", .float32, [.fixed(2), .fixed(1)])]))
        let batches = data.batches(of: 100)
        #expect(batches.map(\.range) == [0..<2, 2..<3] && data.tier == .unlabelled)
        #expect(try data.inputs(of: batches[1])["a"]?.tensor().floats() == [3, 3])
    }

    @Test("whole numbers become the input's type where they fit")
    func integers() throws {
        let path = try write(
            ("ids", NumpyBuilder.npy("'<i8'", [1, 2], NumpyBuilder.integers([7, 300]))),
            ("mask", NumpyBuilder.npy("'|b1'", [1, 2], [1, 0])))
        let shape: [TensorType.Dimension] = [.symbol("N"), .symbol("S")]
        let data = try read(path, model([("ids", .int32, shape), ("mask", .float16, shape)]))
        let inputs = try data.inputs(of: data.batches(of: 1)[0])
        #expect(try inputs["ids"]?.tensor().integers() == [7, 300])
        #expect(try inputs["mask"]?.tensor().floats() == [1, 0])
        let narrow = try read(path, model([("ids", .uint8, shape)]))
        let error = #expect(throws: ConversionError.self) { _ = try narrow.inputs(of: narrow.batches(of: 1)[0]) }
        #expect(error?.code == "data.type")
    }

    @Test("an array alone is the only input's")
    func single() throws {
        let path = try folder.write("x.npy", NumpyBuilder.npy("'<f4'", [2, 1], NumpyBuilder.floats([1, 2])))
        let data = try read(path, model([("anything", .float32, [.unknown, .fixed(1)])]))
        #expect(data.count == 2 && data.labels == nil)
    }

    @Test("images with their channels first go into a model that wants them last")
    func channelsLast() throws {
        let path = try write(("x", NumpyBuilder.npy("'|u1'", [1, 3, 1, 2], [1, 2, 3, 4, 5, 6])))
        let model = model(
            [("x", .float32, [.symbol("N"), .fixed(1), .fixed(2), .fixed(3)])],
            metadata: [MetadataEntry(key: "scale", value: "1"), MetadataEntry(key: "layout", value: "NHWC")])
        let data = try read(path, model)
        let value = try data.inputs(of: data.batches(of: 1)[0])["x"]?.tensor()
        #expect(try value?.floats() == [1, 3, 5, 2, 4, 6] && value?.shape == [1, 1, 2, 3])
    }

    @Test("data that do not fit have a code each")
    func misfits() throws {
        let model = model([("a", .float32, [.symbol("N"), .fixed(2)])])
        let two = NumpyBuilder.floats([1, 2])
        #expect(code(try write(("b", NumpyBuilder.npy("'<f4'", [1, 2], two))), model) == "data.names")
        #expect(code(try write(("a", NumpyBuilder.npy("'<f4'", [2, 1], two))), model) == "data.shape")
        #expect(code(try write(("a", NumpyBuilder.npy("'<f4'", [], NumpyBuilder.floats([1])))), model) == "data.shape")
        #expect(code(try write(("a", NumpyBuilder.npy("'<f4'", [0, 2], []))), model) == "data.empty")
        let label = NumpyBuilder.npy("'<f4'", [1], NumpyBuilder.floats([1]))
        #expect(code(try write(("a", NumpyBuilder.npy("'<f4'", [1, 2], two)), ("y", label)), model) == "data.labels")
        let labels = NumpyBuilder.npy("'<i8'", [2], NumpyBuilder.integers([1, 2]))
        #expect(code(try write(("a", NumpyBuilder.npy("'<f4'", [1, 2], two)), ("y", labels)), model) == "data.labels")
        let integers = self.model([("a", .int64, [.symbol("N"), .fixed(2)])])
        #expect(code(try write(("a", NumpyBuilder.npy("'<f4'", [1, 2], two))), integers) == "data.type")
        #expect(code(folder.path, model) == "data.unsupported")
    }
}
