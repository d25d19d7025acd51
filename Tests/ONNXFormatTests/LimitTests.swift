internal import ConverterKit
internal import Glibc
internal import ONNXFormat
internal import TestSupport
internal import Testing

/// Each bound of `ImportLimits`, on both sides; depth on a small stack.
struct LimitTests {
    typealias B = ONNXBuilder
    private static let relu = B.node("Relu", ["x"], ["y"])

    private static func withWeight(_ dims: [Int64], _ payload: Wire = []) -> [UInt8] {
        B.model(graph: B.graph(nodes: [relu], initializers: [B.tensor("w", dims: dims, payload)]))
    }

    /// Reads the bytes at a limit of one less than they need, and at what they need.
    private func check(
        _ bytes: [UInt8], needs value: Int, _ path: WritableKeyPath<ImportLimits, Int>, _ code: String
    ) throws {
        let folder = try ModelFolder()
        var limits = ImportLimits()
        limits[keyPath: path] = value
        #expect(try folder.code(bytes, limits: limits) == nil, "at the limit of \(code)")
        limits[keyPath: path] = value - 1
        #expect(try folder.code(bytes, limits: limits) == code)
    }

    @Test func `counts and lengths are bounded`() throws {
        let nodes = B.model(graph: B.graph(nodes: (0..<5).map { B.node("Relu", ["x"], [$0 == 0 ? "y" : "h\($0)"]) }))
        try check(nodes, needs: 5, \.nodes, "onnx.too-many-nodes")
        try check(nodes, needs: nodes.count, \.fileBytes, "onnx.file-too-large")
        try check(nodes, needs: nodes.count, \.skeletonBytes, "onnx.skeleton-too-large")
        let weights = (0..<3).map { B.tensor("w\($0)", dims: [0]) }
        try check(
            B.model(graph: B.graph(nodes: [Self.relu], initializers: weights)), needs: 3, \.initializers,
            "onnx.too-many-initializers")
        let attributes = (0..<4).map { B.attribute("a\($0)", type: 2, .int(3, 1)) }
        try check(
            B.model(graph: B.graph(nodes: [B.node("Relu", ["x"], ["y"], attributes: attributes)])), needs: 4,
            \.attributesPerNode, "onnx.too-many-attributes")
        let functions = (0..<2).map { B.function("f\($0)", nodes: [B.node("Relu", ["a"], ["b"])]) }
        try check(
            B.model(graph: B.graph(nodes: [Self.relu]), functions: functions), needs: 2, \.functions,
            "onnx.too-many-functions")
        let long = String(repeating: "n", count: 30)
        try check(
            B.model(graph: B.graph(nodes: [B.node("Relu", ["x"], ["y"], name: long)])), needs: 30, \.nameBytes,
            "onnx.name-too-long")
        let text = B.attribute("a", type: 3, .string(4, long))
        try check(
            B.model(graph: B.graph(nodes: [B.node("Relu", ["x"], ["y"], attributes: [text])])), needs: 30,
            \.stringBytes, "onnx.string-too-long")
        try check(Self.withWeight([1, 1, 1], B.raw([1])), needs: 3, \.tensorRank, "shape.rank")
        try check(Self.withWeight([2, 3], B.raw([0, 0, 0, 0, 0, 0])), needs: 6, \.tensorElements, "shape.too-large")
    }

    /// `levels` graphs, each in an attribute of the one before.
    private static func nested(_ levels: Int) -> [UInt8] {
        // The bytes are put together from the inside by prefixes, so that a hundred thousand levels take little time.
        var (prefixes, length) = ([[UInt8]](), 0)
        var inner = B.graph(nodes: [B.node("Relu", ["x"], ["z"])], inputs: [], outputs: ["z"]).bytes
        length = inner.count
        let output = Wire.message(12, .string(1, "z")).bytes
        for _ in 1..<max(levels, 1) {
            let attribute = Wire.tag(6, 2) + Wire.varint(UInt64(length))
            let type = Wire.int(20, 5).bytes + Wire.string(1, "g").bytes
            let attributeLength = attribute.count + length + type.count
            let node = Wire.string(2, "z").bytes + Wire.string(4, "If").bytes + type.prefix(0)
            let head = Wire.tag(5, 2) + Wire.varint(UInt64(attributeLength)) + type + attribute
            let nodeLength = node.count + head.count + length
            let prefix = output + Wire.tag(1, 2) + Wire.varint(UInt64(nodeLength)) + node + head
            prefixes.append(prefix)
            length += prefix.count
        }
        inner = prefixes.reversed().flatMap { $0 } + inner
        let input = Wire.message(11, .string(1, "x")).bytes
        return B.model(graph: Wire(input + inner))
    }

    @Test(arguments: [1, 2, 31, 32, 33, 34, 100, 1000, 5000, 100_000])
    func `nesting beyond 32 graphs is refused, on a small stack`(_ levels: Int) throws {
        let folder = try ModelFolder()
        let path = try folder.write(Self.nested(levels))
        let outcome = SmallStack.run { () -> String? in
            do throws(ConversionError) {
                let model = try ModelReader.read(path: path)
                return model.graph.nodes.count == 1 ? nil : "lost"
            } catch {
                return error.code.name
            }
        }
        #expect(outcome == .some(levels <= 32 ? nil : "onnx.nesting-too-deep"), "\(levels) levels")
    }

    @Test func `nested types and sequences are bounded too`() throws {
        var type = Wire.message(1, .int(1, 1))
        for _ in 0..<200 { type = .message(4, .message(1, type)) }
        let graph = B.graph(nodes: [Self.relu], extra: .message(13, .string(1, "v") + .message(2, type)))
        #expect(try ModelFolder().code(B.model(graph: graph)) == "onnx.nesting-too-deep")
    }
}
