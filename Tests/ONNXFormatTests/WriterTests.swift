internal import ConverterKit
internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

@testable internal import ONNXFormat

struct WriterTests {
    typealias B = ONNXBuilder

    /// A model whose weights of four floats lie in `location`, and the bytes of that file.
    private static func external(
        offsets: [Int], location: String = "w.data", alignment: Int
    ) -> (model: [UInt8], data: [UInt8]) {
        var data: [UInt8] = []
        var tensors: [Wire] = []
        for (index, offset) in offsets.enumerated() {
            while data.count < offset { data.append(0) }
            if data.count == offset { data += Wire.words((0..<4).map { Float(10 * index + $0).bitPattern }) }
            tensors.append(
                B.tensor(
                    "w\(index)", dims: [4],
                    B.external([("location", location), ("offset", "\(offset)"), ("length", "16"), ("checksum", "c")])))
        }
        let graph = B.graph(nodes: [B.node("Relu", ["x"], ["y"])], initializers: tensors)
        return (Wire(B.model(graph: graph.sorted)).sorted.bytes, data)
    }

    private func offsets(_ model: Model) -> [Int?] {
        model.graph.initializers.map { if case .external(let external) = $0.payload { external.offset } else { nil } }
    }

    private func checksums(_ model: Model) -> Int {
        model.graph.initializers.count {
            if case .external(let external) = $0.payload {
                external.entries.contains { $0.key == "checksum" }
            } else {
                false
            }
        }
    }

    @Test func `nothing is replaced, and the folder must be there`() throws {
        let folder = try ModelFolder()
        let model = try folder.read(B.small)
        let before = try folder.bytes(of: "model.onnx")
        let error = #expect(throws: ConversionError.self) {
            try ModelWriter.write(model, to: folder.path, name: "model")
        }
        #expect(error?.code == "output.exists" && error?.kind == .cannotCreateOutput)
        #expect(try folder.bytes(of: "model.onnx") == before)
        let missing = #expect(throws: ConversionError.self) {
            try ModelWriter.write(model, to: folder.path + "/no", name: "m")
        }
        #expect(missing?.code == "output.no-directory" && missing?.kind == .cannotCreateOutput)
        for name in ["", "a/b", "../x", String(repeating: "n", count: 251)] {
            let named = #expect(throws: ConversionError.self) {
                try ModelWriter.write(model, to: folder.path, name: name)
            }
            #expect(named?.code == "output.name")
        }
        #expect(folder.names == ["model.onnx"])
    }

    @Test func `the mask of the process holds, and a link is not followed`() throws {
        let folder = try ModelFolder()
        let model = try folder.read(B.small)
        let written = try ModelWriter.write(model, to: folder.path, name: "m")
        var status = stat()
        unsafe stat(written.file, &status)
        let mask = umask(0o022)
        umask(mask)
        #expect(status.st_mode & 0o777 == 0o644 & ~mask)
        unsafe symlink("elsewhere", folder.path + "/linked.onnx")
        let error = #expect(throws: ConversionError.self) {
            try ModelWriter.write(model, to: folder.path, name: "linked")
        }
        #expect(error?.code == "output.exists")
        #expect(!folder.names.contains("elsewhere"))
    }

    @Test func `a full disk is told apart`() throws {
        let full = unsafe open("/dev/full", O_WRONLY | O_CLOEXEC)
        let file = OutputFile(adopting: full, path: "/dev/full")
        let error = #expect(throws: ConversionError.self) { try file.write([UInt8](repeating: 1, count: 2 << 20)) }
        #expect(error?.code == "output.no-space" && error?.kind == .temporary)
    }

    @Test func `what was created is removed when a later file fails`() throws {
        let folder = try ModelFolder()
        let (bytes, data) = Self.external(offsets: [0], location: "deep/er/w.data", alignment: 64)
        _ = try folder.makeFolder("deep/er")
        try folder.write(data, to: "deep/er/w.data")
        let model = try folder.read(bytes)
        let out = try folder.makeFolder("out")
        try folder.write([1], to: "out/m.onnx")
        let error = #expect(throws: ConversionError.self) { try ModelWriter.write(model, to: out, name: "m") }
        #expect(error?.code == "output.exists")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["m.onnx"])
        let good = try ModelWriter.write(model, to: out, name: "n")
        #expect(good.dataFiles == [out + "/deep/er/w.data"])
        #expect(try folder.bytes(of: "out/deep/er/w.data") == data)
    }

    @Test func `data files stay beneath the output folder and off the model itself`() throws {
        let folder = try ModelFolder()
        var model = try folder.read(B.small)
        for (location, code) in [
            ("../w", "external-data.escapes-directory"), ("/tmp/w", "external-data.absolute"),
            ("m.onnx", "output.data-file-is-model"), ("./m.onnx", "output.data-file-is-model"),
            ("link/w", "output.escapes-directory"),
        ] {
            let out = try folder.makeFolder("out")
            unsafe symlink(folder.path, out + "/link")
            model.graph.initializers = [
                Tensor(
                    name: "w", elementTypeNumber: 1, shape: [1],
                    payload: .external(
                        ExternalData(
                            location: location, offset: nil, length: nil, entries: [], bytes: ByteSource([0, 0, 0, 0])))
                )
            ]
            let error = #expect(throws: ConversionError.self) { try ModelWriter.write(model, to: out, name: "m") }
            #expect(error?.code.name == code)
            #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["link"])
        }
    }

    @Test(arguments: [[0, 4096, 8192], [0, 16, 32], [64, 192, 0], [0, 0, 4096], [100, 7]])
    func `unchanged external data stays where it lies, byte for byte`(_ offsets: [Int]) throws {
        let folder = try ModelFolder()
        let (bytes, data) = Self.external(offsets: offsets, alignment: 64)
        try folder.write(data + [9, 9, 9], to: "w.data")
        let out = try folder.makeFolder("out")
        let model = try folder.read(bytes)
        let written = try ModelWriter.write(model, to: out, name: "m")
        #expect(try folder.bytes(of: "out/m.onnx") == bytes)
        #expect(try folder.bytes(of: "out/w.data") == data + [9, 9, 9])
        #expect(written.file == out + "/m.onnx")
    }

    @Test(arguments: [4096, 64])
    func `a replaced tensor's room is closed, new ones follow at the same alignment`(_ step: Int) throws {
        let folder = try ModelFolder()
        let (bytes, data) = Self.external(offsets: [0, step, 2 * step], alignment: step)
        try folder.write(data, to: "w.data")
        var model = try folder.read(bytes)
        model.graph.initializers.remove(at: 1)
        for name in ["u", "v"] {
            let new = ByteSource(Wire.words([Float(7), 8].map(\.bitPattern)))
            model.graph.initializers.append(
                Tensor(
                    name: name, elementTypeNumber: 1, shape: [2],
                    payload: .external(
                        ExternalData(location: "w.data", offset: nil, length: nil, entries: [], bytes: new))))
        }
        let written = try ModelWriter.write(model, to: folder.makeFolder("out"), name: "m")
        let again = try ModelReader.read(path: written.file)
        #expect(offsets(again) == [0, step, 2 * step, 3 * step])
        #expect(checksums(again) == 0)
        #expect(
            try again.graph.initializers.map { try $0.floats() } == [
                [0, 1, 2, 3], [20, 21, 22, 23], [7, 8], [7, 8],
            ])
    }

    @Test func `a range that two tensors share is written once`() throws {
        let folder = try ModelFolder()
        let (bytes, data) = Self.external(offsets: [0, 4096, 4096], alignment: 4096)
        try folder.write(data, to: "w.data")
        var model = try folder.read(bytes)
        model.graph.initializers.removeFirst()
        model.graph.initializers.append(
            Tensor(
                name: "u", elementTypeNumber: 1, shape: [1],
                payload: .external(
                    ExternalData(
                        location: "w.data", offset: nil, length: nil, entries: [], bytes: ByteSource([0, 0, 0, 0])))))
        let written = try ModelWriter.write(model, to: folder.makeFolder("out"), name: "m")
        let again = try ModelReader.read(path: written.file)
        #expect(offsets(again) == [0, 0, 4096])
        #expect(try folder.bytes(of: "out/w.data").count == 4100)
    }

    @Test func `a model that is too large for one file gets a data file, in constants too`() throws {
        let folder = try ModelFolder()
        let values = (0..<512).map { Float($0) }
        let bytes = Wire.words(values.map(\.bitPattern))
        let constant = B.tensor(nil, dims: [512], .field(9, bytes))
        let typed = B.tensor("t", type: 6, dims: [512], .field(5, (0..<512).flatMap { Wire.varint($0) }))
        let file = B.model(
            graph: B.graph(
                nodes: [
                    B.node("Constant", [], ["c"], attributes: [B.attribute("value", type: 4, .message(5, constant))]),
                    B.node("Relu", ["x"], ["y"]),
                ],
                initializers: [
                    B.tensor("w", dims: [512], .field(9, bytes)), B.tensor("s", dims: [1], B.raw([5])), typed,
                ]))
        let model = try folder.read(file)
        let inline = try ModelWriter.write(
            model, to: folder.makeFolder("in"), name: "m", options: ExportOptions(largestFile: file.count))
        #expect(inline.dataFiles == [])
        let out = try folder.makeFolder("out")
        let written = try ModelWriter.write(
            model, to: out, name: "m", options: ExportOptions(largestFile: file.count - 1))
        #expect(written.dataFiles == [out + "/m.onnx.data"])
        let again = try ModelReader.read(path: written.file)
        #expect(offsets(again) == [0, nil, 4096])
        #expect(try again.graph.initializers[0].floats() == values && again.graph.initializers[1].floats() == [5])
        #expect(try again.graph.initializers[2].integers() == (0..<512).map { Int64($0) })
        guard case .tensor(let moved) = again.graph.nodes[0][attribute: "value"],
            case .external(let place) = moved.payload
        else {
            Issue.record("the constant was not moved")
            return
        }
        #expect(try moved.floats() == values && place.offset == 8192 && place.length == 2048)
        let error = #expect(throws: ConversionError.self) {
            try ModelWriter.write(
                model, to: folder.makeFolder("no"), name: "m", options: ExportOptions(largestFile: 100))
        }
        #expect(error?.code == "output.too-large")
    }

    @Test func `two writes give the same bytes`() throws {
        let folder = try ModelFolder()
        let model = try folder.read(SampleModel.everyKind)
        for name in ["a", "b"] { _ = try ModelWriter.write(model, to: folder.path, name: name) }
        #expect(try folder.bytes(of: "a.onnx") == folder.bytes(of: "b.onnx"))
    }
}
