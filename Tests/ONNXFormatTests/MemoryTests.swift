internal import ConverterKit
internal import ONNXFormat
internal import TestSupport
internal import Testing

/// Peak memory, each measured in a process of its own: other tests' memory would count too.
struct MemoryTests {
    typealias B = ONNXBuilder

    /// Files that would take a hundred times their size in memory.
    static var hostile: [FileCase] {
        func model(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
            var graph: [UInt8] = []
            graph.reserveCapacity(bytes.count * count)
            for _ in 0..<count { graph += bytes }
            return B.model(graph: Wire(graph))
        }
        let attribute = Wire.field(5, []).bytes
        let full = Wire.field(1, (0..<200).flatMap { _ in attribute }).bytes
        let dimensions = Wire.field(1, [UInt8](repeating: 1, count: 9_000_000)) + .int(2, 1)
        return [
            FileCase("empty nodes", model([0x0a, 0], 2_000_000), "onnx.too-many-nodes"),
            FileCase("empty initializers", model([0x2a, 0], 2_000_000), "onnx.too-many-initializers"),
            FileCase("empty values", model([0x6a, 0], 2_000_000), "onnx.amplification"),
            FileCase("empty attributes", model(full, 10_000), "onnx.amplification"),
            FileCase("packed dimensions", B.model(graph: B.graph(initializers: [dimensions])), "shape.rank"),
        ]
    }

    @Test func `amplification is refused before it happens`() async {
        await #expect(processExitsWith: .success) {
            for file in MemoryTests.hostile {
                let folder = try ModelFolder()
                let path = try folder.write(file.bytes)
                let before = Memory.resetPeak()
                var found: String?
                do throws(ConversionError) {
                    _ = try ModelReader.read(path: path)
                } catch {
                    found = error.code.name
                }
                let grown = Memory.peak() - before
                #expect(found == file.code, "\(file.testDescription)")
                #expect(grown < (4 << 20), "\(file.testDescription): \(grown) bytes for a file of \(file.bytes.count)")
            }
        }
    }

    @Test func `weights are not read`() async {
        await #expect(processExitsWith: .success) {
            let folder = try ModelFolder()
            let count = 8 << 20
            let weight = B.tensor("w", dims: [Int64(count)], .field(9, [UInt8](repeating: 1, count: 4 * count)))
            let path = try folder.write(
                B.model(graph: B.graph(nodes: [B.node("Relu", ["x"], ["y"])], initializers: [weight])))
            let before = Memory.resetPeak()
            let model = try ModelReader.read(path: path)
            _ = try ModelWriter.write(model, to: folder.makeFolder("out"), name: "m")
            let grown = Memory.peak() - before
            #expect(grown < 4 << 20, "\(grown) bytes for a weight of \(4 * count)")
            guard case .raw(let source) = model.graph.initializers[0].payload, case .file = source.storage else {
                Issue.record("the weight is in memory")
                return
            }
        }
    }
}
