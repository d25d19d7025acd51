internal import TestSupport

/// Hand-made models that the tests share.
enum SampleModel {
    private typealias B = ONNXBuilder

    /// Small, and with a field of every kind: typed and raw tensors, each kind of attribute, subgraphs, a function,
    /// sparse tensors, training information, annotations, metadata, devices, and fields no schema knows.
    static var everyKind: [UInt8] {
        let unknown = Wire.int(1000, 5) + .string(1001, "future")
        let entry = Wire.string(1, "key") + .string(2, "value")
        let weight = B.tensor(
            "w", dims: [2, 2], B.raw([1, 2, 3, 4]) + .string(12, "doc") + .message(16, entry) + unknown)
        let count = B.tensor("n", type: 7, dims: [2], .field(7, [3, 0x80, 0x01])).sorted
        let words = B.tensor("f", dims: [1], .field(4, [0, 0, 0x80, 0x3f])).sorted
        let texts = B.tensor("s", type: 8, dims: [2], .string(6, "a") + .field(6, [0xff])).sorted
        let sparse =
            Wire.message(1, B.tensor("sp", dims: [1], B.raw([1])))
            + .message(2, B.tensor(nil, type: 7, dims: [1], .field(7, [0])).sorted) + .int(3, 4)
        let branch = B.graph(name: "b", nodes: [B.node("Identity", ["w"], ["z"])], inputs: [], outputs: ["z"])
        let attributes: [Wire] = [
            B.attribute("float", type: 1, .float(2, 0.5)), B.attribute("int", type: 2, .int(3, -1)),
            B.attribute("string", type: 3, .string(4, "text")), B.attribute("tensor", type: 4, .message(5, words)),
            B.attribute("graph", type: 5, .message(6, branch)),
            B.attribute("floats", type: 6, .float(7, 1) + .float(7, 2)),
            B.attribute("ints", type: 7, .int(8, 1) + .int(8, 2)), B.attribute("strings", type: 8, .string(9, "p")),
            B.attribute("tensors", type: 9, .message(10, words)), B.attribute("graphs", type: 10, .message(11, branch)),
            B.attribute("sparse", type: 11, .message(22, sparse)),
            B.attribute("type", type: 13, .message(14, .message(1, .int(1, 1)))),
            B.attribute("untyped", type: 0, .int(3, 7)), B.attribute("zero", type: 2, []), .string(1, "empty"),
            B.attribute("none", type: 7, []),
            B.attribute("noted", type: 2, .int(3, 1) + .string(13, "doc") + unknown).sorted,
        ]
        let device = Wire.string(1, "c") + .message(2, .string(1, "w") + .int(2, 0)) + .int(3, 1)
        let node = B.node(
            "Do", ["x", "", "w"], ["h"], name: "do", domain: "my", attributes: attributes,
            extra: .string(8, "over") + .message(9, entry) + .message(10, device) + unknown
        ).sorted
        let graph = B.graph(
            nodes: [node, B.node("F", ["h"], ["y"], domain: "my")], initializers: [weight, count, words, texts],
            extra: .string(10, "") + .message(13, B.value("h")) + .message(14, .string(1, "w") + .message(2, entry))
                + .message(15, sparse) + .message(16, entry) + unknown
        ).sorted
        let function = B.function(
            "F", nodes: [B.node("Relu", ["a"], ["b"])],
            extra: .string(6, "p") + .message(11, B.attribute("q", type: 1, .float(2, 1))) + .message(12, B.value("a"))
                + .string(13, "") + .message(14, entry) + unknown
        ).sorted
        return Wire(
            B.model(
                irVersion: 11, operatorSets: [("", 22), ("my", 1)], graph: graph, functions: [function],
                extra: .string(2, "") + .string(3, "1.0") + .string(4, "d") + .int(5, 0) + .string(6, "model")
                    + .message(14, entry) + .message(14, .string(1, "only key") + unknown)
                    + .message(20, .message(2, B.graph(nodes: [B.node("Relu", ["x"], ["y"])])) + .message(4, entry))
                    + .message(26, .string(1, "c") + .int(2, 2) + .string(3, "gpu")) + unknown)
        ).sorted.bytes
    }
}
