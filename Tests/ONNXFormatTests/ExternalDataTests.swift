internal import ConverterKit
internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

@testable internal import ONNXFormat

/// External data is read from beneath the model's folder only.
struct ExternalDataTests {
    typealias B = ONNXBuilder

    /// A model with a weight of two floats in an external file.
    static func model(_ entries: [(String, String)], dims: [Int64] = [2]) -> [UInt8] {
        let weight = B.tensor("w", dims: dims, B.external(entries))
        return Wire(
            B.model(graph: B.graph(nodes: [B.node("Add", ["x", "w"], ["y"])], initializers: [weight]).sorted)
        ).sorted.bytes
    }

    static func model(at location: String) -> [UInt8] { model([("location", location)]) }

    private static let data = Wire.words([Float(1), 2, 3, 4].map(\.bitPattern))

    /// A folder with a good data file, a subfolder, links, a FIFO, and a file outside.
    private func fixture() throws -> (folder: ModelFolder, inside: ModelFolder) {
        let outer = try ModelFolder()
        _ = try outer.makeFolder("sub")
        try outer.write(Self.data, to: "w.bin")
        try outer.write(Self.data, to: "sub/w.bin")
        try outer.write(Self.data, to: "two.bin")
        let outside = try ModelFolder()
        try outside.write(Self.data, to: "secret.bin")
        unsafe link(outer.path + "/two.bin", outer.path + "/hard.bin")
        unsafe symlink("w.bin", outer.path + "/link.bin")
        unsafe symlink(outside.path, outer.path + "/way-out")
        unsafe symlink("sub", outer.path + "/way-in")
        unsafe symlink("nowhere", outer.path + "/dangling")
        unsafe mkfifo(outer.path + "/fifo", 0o600)
        return (outer, outside)
    }

    private static let places: [(String, String?)] = [
        ("w.bin", nil), ("sub/w.bin", nil), ("./w.bin", nil), ("sub//w.bin", nil),
        ("", "external-data.no-location"), ("/etc/passwd", "external-data.absolute"),
        ("../w.bin", "external-data.escapes-directory"), ("sub/../w.bin", "external-data.escapes-directory"),
        ("sub/../../x", "external-data.escapes-directory"), ("..", "external-data.escapes-directory"),
        ("link.bin", "external-data.symbolic-link"), ("dangling", "external-data.symbolic-link"),
        ("way-out/secret.bin", "external-data.symbolic-link"), ("way-in/w.bin", "external-data.symbolic-link"),
        ("hard.bin", "external-data.hard-link"), ("fifo", "external-data.not-a-file"),
        ("sub", "external-data.not-a-file"), ("sub/", "external-data.not-a-file"), (".", "external-data.not-a-file"),
        ("missing.bin", "external-data.missing"), ("w.bin/x", "external-data.missing"),
        ("model.onnx", "external-data.is-model"), ("./model.onnx", "external-data.is-model"),
        ("W.BIN", "external-data.missing"), ("w\u{200d}.bin", "external-data.missing"),
        (String(repeating: "n", count: 256), "external-data.name-too-long"),
        (Array(repeating: "abcdefgh", count: 500).joined(separator: "/"), "external-data.name-too-long"),
    ]

    @Test(arguments: places)
    func `only regular files beneath the folder are read`(_ location: String, _ code: String?) throws {
        let (folder, outside) = try fixture()
        #expect(try folder.code(Self.model(at: location)) == code, "\(location)")
        withExtendedLifetime(outside) {}
    }

    /// The walk by component, for kernels without openat2, decides the same.
    @Test(arguments: places)
    func `the walk without openat2 decides the same`(_ location: String, _ code: String?) throws {
        let (folder, outside) = try fixture()
        let path = try folder.write(Self.model(at: location))
        let files = ExternalFiles(
            model: try OpenFile(path: path), limits: ImportLimits(), usesKernelWalk: false)
        let tensor = Tensor(name: "w", elementTypeNumber: 1, shape: [2], payload: .none)
        var found: String?
        do {
            _ = try files.data([MetadataEntry(key: "location", value: location)], for: tensor)
        } catch {
            found = error.code.name
        }
        #expect(found == code, "\(location)")
        withExtendedLifetime(outside) {}
    }

    @Test func `hard links are read where the limits allow them`() throws {
        let (folder, _) = try fixture()
        var limits = ImportLimits()
        limits.allowsHardLinks = true
        #expect(try folder.code(Self.model(at: "hard.bin"), limits: limits) == nil)
    }

    private static let references: [([String: String], String, String?)] = [
        (["offset": "8"], "offset alone", nil), (["offset": "8", "length": "8"], "offset and length", nil),
        (["length": "8", "checksum": "0", "basepath": ""], "every key", nil),
        (["offset": "9", "length": "8"], "end beyond the file", "external-data.out-of-range"),
        (["offset": "17"], "offset beyond the file", "external-data.out-of-range"),
        (["offset": "12"], "rest too short", "shape.payload-size"),
        (["length": "4"], "length too short", "shape.payload-size"),
        (["length": "16"], "length too long", "shape.payload-size"),
        (["length": "9223372036854775807"], "huge length", "external-data.out-of-range"),
        (["offset": "9223372036854775807", "length": "8"], "sum overflows", "external-data.out-of-range"),
        (["offset": "9223372036854775808"], "offset overflows", "external-data.bad-number"),
        (["offset": "-1"], "negative offset", "external-data.bad-number"),
        (["length": "-8"], "negative length", "external-data.bad-number"),
        (["offset": "+8"], "signed", "external-data.bad-number"),
        (["offset": " 8"], "space", "external-data.bad-number"),
        (["offset": "0x8"], "hexadecimal", "external-data.bad-number"),
        (["offset": ""], "empty", "external-data.bad-number"),
        (["offset": "٨"], "other digits", "external-data.bad-number"),
        (["__class__": "x"], "unknown key", "external-data.unknown-key"),
    ]

    @Test(arguments: references)
    func `references to data are checked`(_ entries: [String: String], _ name: String, _ code: String?) throws {
        let (folder, _) = try fixture()
        let all = [("location", "w.bin")] + entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        #expect(try folder.code(Self.model(all)) == code, "\(name)")
    }

    @Test func `keys are stated once, and a location is stated`() throws {
        let (folder, _) = try fixture()
        #expect(
            try folder.code(Self.model([("location", "w.bin"), ("location", "w.bin")])) == "external-data.duplicate-key"
        )
        #expect(try folder.code(Self.model([("offset", "0")])) == "external-data.no-location")
        #expect(try folder.code(Self.model([])) == "external-data.no-location")
    }

    @Test func `data beside inline data is refused`() throws {
        let (folder, _) = try fixture()
        let both = B.tensor("w", dims: [2], B.raw([1, 2]) + B.external([("location", "w.bin")]))
        let file = B.model(graph: B.graph(nodes: [B.node("Add", ["x", "w"], ["y"])], initializers: [both]))
        #expect(try folder.code(file) == "onnx.tensor.several-payloads")
    }

    @Test func `the number of files is bounded, each is opened once`() throws {
        let folder = try ModelFolder()
        func model(_ files: Int) -> [UInt8] {
            let tensors = (0..<(2 * files)).map { index in
                B.tensor("w\(index)", dims: [2], B.external([("location", "f\(index % files)"), ("length", "8")]))
            }
            return B.model(graph: B.graph(nodes: [B.node("Relu", ["x"], ["y"])], initializers: tensors))
        }
        for index in 0..<65 { try folder.write(Self.data, to: "f\(index)") }
        #expect(try folder.code(model(65)) == "external-data.too-many-files")
        let read = try folder.read(model(64))
        var files: Set<ObjectIdentifier> = []
        for tensor in read.graph.initializers {
            guard case .external(let external) = tensor.payload, case .file(let file, _) = external.bytes.storage
            else { continue }
            files.insert(ObjectIdentifier(file))
            #expect(try tensor.floats() == [1, 2])
        }
        #expect(files.count == 64)
    }

    @Test func `a truncated or hostile place in an attribute or subgraph is found too`() throws {
        let (folder, _) = try fixture()
        let tensor = B.tensor(nil, dims: [2], B.external([("location", "../w.bin")]))
        let constant = B.node("Constant", [], ["z"], attributes: [B.attribute("value", type: 4, .message(5, tensor))])
        let body = B.graph(nodes: [constant], inputs: [], outputs: ["z"])
        let node = B.node("If", ["x"], ["y"], attributes: [B.attribute("then_branch", type: 5, .message(6, body))])
        #expect(try folder.code(B.model(graph: B.graph(nodes: [node]))) == "external-data.escapes-directory")
    }

    @Test func `parts that are kept as bytes may not refer to files`() throws {
        let (folder, _) = try fixture()
        let tensor = B.tensor("w", dims: [2], B.external([("location", "w.bin")]))
        let graph = B.graph(nodes: [B.node("Relu", ["x"], ["y"])], extra: .message(15, .message(1, tensor)))
        #expect(try folder.code(B.model(graph: graph)) == "external-data.unsupported-place")
    }

    @Test func `a file that shrinks after it was opened gives an error and no signal`() throws {
        let (folder, _) = try fixture()
        let model = try folder.read(Self.model(at: "w.bin"))
        unsafe truncate(folder.path + "/w.bin", 3)
        let error = #expect(throws: ConversionError.self) { try model.graph.initializers[0].floats() }
        #expect(error?.code == "input.truncated")
        let out = try folder.makeFolder("out")
        let second = #expect(throws: ConversionError.self) { try ModelWriter.write(model, to: out, name: "m") }
        #expect(second?.code == "input.truncated")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == [])
    }
}
