internal import ConverterKit
internal import Glibc

/// Finds the first place in which two models differ. Used on what was meant to be written and what is read back: data
/// is compared byte by byte, where it is stored is not.
struct ModelComparison {
    private var path: [String] = []

    /// A description of the first difference, or `nil` when the models are the same.
    static func firstDifference(_ left: Model, _ right: Model) throws -> String? {
        var comparison = ModelComparison()
        return try comparison.models(left, right) ? nil : comparison.path.joined(separator: ": ")
    }

    private mutating func models(_ left: Model, _ right: Model) throws -> Bool {
        try same("IR version", left.irVersion, right.irVersion)
            && same("operator sets", left.operatorSets, right.operatorSets)
            && same("producer", left.producerName, right.producerName)
            && same("producer version", left.producerVersion, right.producerVersion)
            && same("domain", left.domain, right.domain) && same("version", left.modelVersion, right.modelVersion)
            && same("description", left.docString, right.docString) && same("metadata", left.metadata, right.metadata)
            && same("other fields", left.unmodelled, right.unmodelled)
            && all("functions", left.functions, right.functions) { comparison, left, right throws in
                try comparison.functions(left, right)
            } && graphs(left.graph, right.graph)
    }

    private mutating func functions(_ left: Function, _ right: Function) throws -> Bool {
        try same("name", left.name, right.name) && same("domain", left.domain, right.domain)
            && same("inputs", left.inputs, right.inputs) && same("outputs", left.outputs, right.outputs)
            && same("operator sets", left.operatorSets, right.operatorSets)
            && same("other fields", left.unmodelled, right.unmodelled)
            && all("nodes", left.nodes, right.nodes) { comparison, left, right throws in
                try comparison.nodes(left, right)
            }
    }

    private mutating func graphs(_ left: Graph, _ right: Graph) throws -> Bool {
        try same("graph name", left.name, right.name) && same("graph description", left.docString, right.docString)
            && same("other fields of the graph", left.unmodelled, right.unmodelled)
            && all("inputs", left.inputs, right.inputs) { comparison, left, right throws in
                comparison.values(left, right)
            }
            && all("outputs", left.outputs, right.outputs) { comparison, left, right throws in
                comparison.values(left, right)
            }
            && all("value types", left.valueInfo, right.valueInfo) { comparison, left, right throws in
                comparison.values(left, right)
            }
            && all("nodes", left.nodes, right.nodes) { comparison, left, right throws in
                try comparison.nodes(left, right)
            }
            && all("initializers", left.initializers, right.initializers) {
                comparison, left, right throws in try comparison.tensors(left, right)
            }
    }

    private mutating func values(_ left: ValueInfo, _ right: ValueInfo) -> Bool {
        same("value name", left.name, right.name)
            && same("type of \(left.name ?? "")", left.tensorType, right.tensorType)
            && same("description of \(left.name ?? "")", left.docString, right.docString)
    }

    private mutating func nodes(_ left: Node, _ right: Node) throws -> Bool {
        try same("node name", left.name, right.name) && same("operation", left.operation, right.operation)
            && same("domain", left.domain, right.domain) && same("overload", left.overload, right.overload)
            && same("inputs", left.inputs, right.inputs) && same("outputs", left.outputs, right.outputs)
            && same("description", left.docString, right.docString)
            && same("other fields", left.unmodelled, right.unmodelled)
            && all("attributes", left.attributes, right.attributes) { comparison, left, right throws in
                try comparison.attributes(left, right)
            }
    }

    private mutating func attributes(_ left: Attribute, _ right: Attribute) throws -> Bool {
        guard same("attribute name", left.name, right.name) else { return false }
        switch (left.value, right.value) {
        case (.float(let left), .float(let right)): return same("float", left.bitPattern, right.bitPattern)
        case (.int(let left), .int(let right)): return same("integer", left, right)
        case (.string(let left), .string(let right)): return same("string", left, right)
        case (.floats(let left), .floats(let right)):
            return same("floats", left.map(\.bitPattern), right.map(\.bitPattern))
        case (.ints(let left), .ints(let right)): return same("integers", left, right)
        case (.strings(let left), .strings(let right)): return same("strings", left, right)
        case (.reference(let left), .reference(let right)): return same("reference", left, right)
        case (.tensor(let left), .tensor(let right)): return try tensors(left, right)
        case (.graph(let left), .graph(let right)): return try graphs(left, right)
        case (.tensors(let left), .tensors(let right)):
            return try all("tensors", left, right) { comparison, left, right throws in
                try comparison.tensors(left, right)
            }
        case (.graphs(let left), .graphs(let right)):
            return try all("graphs", left, right) { comparison, left, right throws in
                try comparison.graphs(left, right)
            }
        case (.other, .other): return same("encoded value", left.encoded, right.encoded)
        default: return same("kind of value", 0, 1)
        }
    }

    private mutating func tensors(_ left: Tensor, _ right: Tensor) throws -> Bool {
        guard same("tensor name", left.name, right.name),
            same("element type of \(left.name ?? "")", left.elementTypeNumber, right.elementTypeNumber),
            same("shape of \(left.name ?? "")", left.shape, right.shape)
        else { return false }
        return try same("data of tensor \(left.name ?? "")", true, payloads(left.payload, right.payload))
    }

    private func payloads(_ left: Tensor.Payload, _ right: Tensor.Payload) throws -> Bool {
        switch (left, right) {
        case (.none, .none): return true
        case (.strings(let left), .strings(let right)): return left == right
        default:
            guard let left = left.bytes, let right = right.bytes else { return false }
            return try left.hasSameBytes(as: right)
        }
    }

    private mutating func same<Value: Equatable>(_ what: String, _ left: Value, _ right: Value) -> Bool {
        if left == right { return true }
        path.append(what)
        return false
    }

    private mutating func all<Element>(
        _ what: String, _ left: [Element], _ right: [Element],
        compare: (inout ModelComparison, Element, Element) throws -> Bool
    ) throws -> Bool {
        guard same("number of \(what)", left.count, right.count) else { return false }
        for index in left.indices {
            path.append("\(what)[\(index)]")
            guard try compare(&self, left[index], right[index]) else { return false }
            path.removeLast()
        }
        return true
    }
}

extension Tensor.Payload {
    /// The stored bytes, wherever they are; `nil` for strings and where nothing is stored.
    var bytes: ByteSource? {
        switch self {
        case .none, .strings: nil
        case .raw(let source), .words(_, let source), .varints(_, let source): source
        case .external(let external): external.bytes
        }
    }
}

extension ByteSource {
    /// Compares the content in pieces; the whole is never in memory.
    func hasSameBytes(as other: ByteSource) throws(ConversionError) -> Bool {
        guard count == other.count else { return false }
        let piece = min(count, 1 << 20)
        var left = [UInt8](repeating: 0, count: piece)
        var right = left
        var offset = 0
        while offset < count {
            let length = min(piece, count - offset)
            try read(at: offset, length: length, into: &left)
            try other.read(at: offset, length: length, into: &right)
            let same = unsafe left.withUnsafeBytes { left in
                unsafe right.withUnsafeBytes { right in
                    guard let left = left.baseAddress, let right = right.baseAddress else { return length == 0 }
                    return unsafe memcmp(left, right, length) == 0
                }
            }
            guard same else { return false }
            offset += length
        }
        return true
    }

    private func read(at offset: Int, length: Int, into bytes: inout [UInt8]) throws(ConversionError) {
        if bytes.count != length { bytes = [UInt8](repeating: 0, count: length) }
        var failure: ConversionError?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(ConversionError) { try unsafe read(at: offset, into: buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
