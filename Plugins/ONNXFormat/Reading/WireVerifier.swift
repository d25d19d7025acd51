internal import ConverterKit

/// Walks all messages of a model file before anything is decoded, and refuses what is malformed or beyond the limits:
/// depth, counts, lengths, and the memory that the decoded model would take. It keeps its own stack, so that the depth
/// of the file costs no stack of the thread, and does not read tensor payloads but for counting their numbers.
struct WireVerifier {
    private struct Frame {
        var cursor: MessageCursor
        var shape: Int
        /// Singular message fields seen, by number.
        var seen: UInt64 = 0
        var attributes = 0
        var dimensions = 0
        /// Inside a part that is kept as bytes and not decoded.
        var isOpaque: Bool
        var graphDepth: Int
    }

    private let window: FileWindow
    private let limits: ImportLimits
    private let schema = Schema.onnx
    private var stack: [Frame] = []
    private var nodes = 0
    private var initializers = 0
    private var functions = 0
    private var liftedBytes = 0
    private var footprint = 0

    /// Memory that a small file may take when decoded, whatever its size.
    private static let freeFootprint = 64 << 20
    /// Decoded bytes allowed for each byte of the file outside tensor payloads; exporters' graphs take 3 to 10.
    private static let amplification = 16

    init(_ window: FileWindow, limits: ImportLimits) {
        self.window = window
        self.limits = limits
    }

    /// Checks the whole file.
    mutating func verify() throws(ConversionError) {
        let size = window.file.size
        guard size > 0 else {
            throw InputFault.bad(
                "onnx.empty-file", "the file is empty", remedy: "Wait until it is written, or export it again.")
        }
        guard size <= limits.fileBytes else {
            throw InputFault.limit(
                "onnx.file-too-large", "the file has \(size) bytes; the limit is \(limits.fileBytes)")
        }
        try walk(shape: Schema.model, from: 0, to: size)
        let skeleton = size - liftedBytes
        guard skeleton <= limits.skeletonBytes else {
            throw InputFault.limit(
                "onnx.skeleton-too-large",
                "the file has \(skeleton) bytes beside its tensors; the limit is \(limits.skeletonBytes)")
        }
        guard footprint <= Self.freeFootprint + Self.amplification * skeleton else {
            throw InputFault.limit(
                "onnx.amplification", "\(skeleton) bytes of the file would take \(footprint) bytes of memory")
        }
    }

    /// Checks a message that is the content of a field.
    mutating func verify(_ field: WireField, as shape: Int) throws(ConversionError) {
        try walk(shape: shape, from: field.content, to: field.end)
        guard footprint <= Self.freeFootprint + Self.amplification * field.count else {
            throw InputFault.limit(
                "onnx.amplification", "\(field.count) bytes of the file would take \(footprint) bytes of memory")
        }
    }

    private mutating func walk(shape: Int, from start: Int, to end: Int) throws(ConversionError) {
        try enter(shape: shape, cursor: MessageCursor(window, from: start, to: end), isOpaque: false, graphDepth: 0)
        while var frame = stack.popLast() {
            let field = try frame.cursor.next()
            guard let field else { continue }
            try check(field, in: &frame)
        }
    }

    /// Checks one field, and puts the frame back on the stack, below the field's own where that is a message.
    private mutating func check(_ field: WireField, in frame: inout Frame) throws(ConversionError) {
        let shape = frame.shape
        guard let known = schema.messages[shape].field(field.number) else {
            footprint += field.end - field.start
            stack.append(frame)
            return
        }
        switch (known.content, field.type) {
        case (.message(let inner), .lengthDelimited):
            try checkMessage(field, known, inner, in: &frame)
            return
        case (.string, .lengthDelimited): try checkText(field, known, shape: shape)
        case (.bytes, .lengthDelimited): try checkBytes(field, shape: shape, isOpaque: frame.isOpaque)
        case (.varint, .varint):
            footprint += known.isRepeated ? 8 : 0
            try countDimensions(1, field, in: &frame)
            if shape == Schema.tensor, field.number == TensorField.dataLocation, field.varint == 1, frame.isOpaque {
                throw InputFault.bad(
                    "external-data.unsupported-place",
                    "a sparse tensor, a function's default, or training information lies in an external file",
                    remedy: "Export the model with these tensors inside the model file.", offset: field.start)
            }
        case (.fixed32, .fixed32), (.fixed64, .fixed64): footprint += known.isRepeated ? 8 : 0
        case (.varint, .lengthDelimited) where known.isRepeated,
            (.fixed32, .lengthDelimited) where known.isRepeated,
            (.fixed64, .lengthDelimited) where known.isRepeated:
            try checkPacked(field, known, in: &frame)
        default:
            throw InputFault.bad(
                "onnx.wire.type", "\(schema.messages[shape].name).\(known.name) has the wrong wire type",
                offset: field.start)
        }
        stack.append(frame)
    }

    private mutating func enter(
        shape: Int, cursor: MessageCursor, isOpaque: Bool, graphDepth: Int
    ) throws(ConversionError) {
        let depth = graphDepth + (shape == Schema.graph ? 1 : 0)
        guard stack.count < limits.messageDepth, depth <= limits.graphDepth else {
            throw InputFault.limit(
                "onnx.nesting-too-deep",
                "messages nest deeper than \(limits.messageDepth), or graphs deeper than \(limits.graphDepth)",
                offset: cursor.position)
        }
        // Twice: the arrays of decoded values have room to grow.
        footprint += 2 * schema.messages[shape].footprint
        stack.append(Frame(cursor: cursor, shape: shape, isOpaque: isOpaque, graphDepth: depth))
    }

    private mutating func checkMessage(
        _ field: WireField, _ known: MessageShape.Field, _ inner: Int, in frame: inout Frame
    ) throws(ConversionError) {
        if !known.isRepeated {
            let bit = UInt64(1) << UInt64(field.number & 63)
            guard frame.seen & bit == 0 else {
                throw InputFault.bad(
                    "onnx.wire.duplicate-field",
                    "\(schema.messages[frame.shape].name).\(known.name) is there twice", offset: field.start)
            }
            frame.seen |= bit
        }
        try count(inner, field, in: &frame)
        let isOpaque =
            frame.isOpaque || inner == Schema.sparseTensor || inner == Schema.trainingInfo
            || (frame.shape == Schema.function && inner == Schema.attribute)
        stack.append(frame)
        try enter(
            shape: inner, cursor: MessageCursor(window, from: field.content, to: field.end), isOpaque: isOpaque,
            graphDepth: frame.graphDepth)
    }

    private mutating func count(_ inner: Int, _ field: WireField, in frame: inout Frame) throws(ConversionError) {
        switch inner {
        case Schema.node:
            nodes += 1
            guard nodes <= limits.nodes else {
                throw InputFault.limit(
                    "onnx.too-many-nodes", "the model has more than \(limits.nodes) nodes", offset: field.start)
            }
        case Schema.tensor where frame.shape == Schema.graph, Schema.sparseTensor where frame.shape == Schema.graph:
            initializers += 1
            guard initializers <= limits.initializers else {
                throw InputFault.limit(
                    "onnx.too-many-initializers", "the model has more than \(limits.initializers) initializers",
                    offset: field.start)
            }
        case Schema.attribute where frame.shape == Schema.node:
            frame.attributes += 1
            guard frame.attributes <= limits.attributesPerNode else {
                throw InputFault.limit(
                    "onnx.too-many-attributes", "a node has more than \(limits.attributesPerNode) attributes",
                    offset: field.start)
            }
        case Schema.function:
            functions += 1
            guard functions <= limits.functions else {
                throw InputFault.limit(
                    "onnx.too-many-functions", "the model has more than \(limits.functions) functions",
                    offset: field.start)
            }
        default: break
        }
    }

    private mutating func checkText(
        _ field: WireField, _ known: MessageShape.Field, shape: Int
    ) throws(ConversionError) {
        footprint += 16 + (field.count > 15 ? 32 + field.count : 0)
        let isDocument = known.name == "doc_string" || (shape == Schema.entry && field.number == 2)
        if isDocument {
            try checkLength(field)
            return
        }
        guard field.count <= limits.nameBytes else {
            throw InputFault.limit(
                "onnx.name-too-long", "a name has \(field.count) bytes; the limit is \(limits.nameBytes)",
                offset: field.start)
        }
        var isText = true
        try unsafe window.withRuns(from: field.content, to: field.end) { run throws(ConversionError) in
            isText = unsafe isText && Text.isValid(run)
        }
        guard isText else {
            throw InputFault.bad(
                "onnx.name-encoding",
                "\(schema.messages[shape].name).\(known.name) is not UTF-8 or holds a zero byte", offset: field.start)
        }
    }

    private mutating func checkBytes(_ field: WireField, shape: Int, isOpaque: Bool) throws(ConversionError) {
        if shape == Schema.tensor, field.number == TensorField.raw {
            if !isOpaque { liftedBytes += field.count }
        } else {
            try checkLength(field)
            footprint += 32 + field.count
        }
    }

    private func checkLength(_ field: WireField) throws(ConversionError) {
        guard field.count <= limits.stringBytes else {
            throw InputFault.limit(
                "onnx.string-too-long", "a string has \(field.count) bytes; the limit is \(limits.stringBytes)",
                offset: field.start)
        }
    }

    private func countDimensions(_ count: Int, _ field: WireField, in frame: inout Frame) throws(ConversionError) {
        guard frame.shape == Schema.tensor, field.number == TensorField.dimensions else { return }
        frame.dimensions += count
        guard frame.dimensions <= limits.tensorRank else {
            throw InputFault.limit(
                "shape.rank", "a tensor has more than \(limits.tensorRank) dimensions", offset: field.start)
        }
    }

    /// A repeated number in packed form: whole words, or varints that end where the field ends.
    private mutating func checkPacked(
        _ field: WireField, _ known: MessageShape.Field, in frame: inout Frame
    ) throws(ConversionError) {
        var numbers = 0
        switch known.content {
        case .fixed32, .fixed64:
            let size = if case .fixed32 = known.content { 4 } else { 8 }
            guard field.count % size == 0 else {
                throw InputFault.bad("onnx.wire.length", "packed numbers end inside a number", offset: field.start)
            }
            numbers = field.count / size
        default: numbers = try VarintCount.count(in: window, from: field.content, to: field.end)
        }
        try countDimensions(numbers, field, in: &frame)
        if frame.shape == Schema.tensor, TensorField.isPayload(field.number) {
            if !frame.isOpaque { liftedBytes += field.count }
        } else {
            footprint += 8 * numbers
        }
    }
}
