internal import CONNX
internal import CProtobufC

/// What the schema says about the messages of the format, taken once from protobuf-c's descriptors.
struct MessageShape: Sendable {
    enum Content: Sendable {
        case varint
        case fixed32
        case fixed64
        case string
        case bytes
        /// The index of the message's shape in `Schema.messages`.
        case message(Int)
    }

    struct Field: Sendable {
        var name: String
        var content: Content
        var isRepeated: Bool
    }

    var name: String
    /// By field number; the schema's numbers are small.
    var fields: [Field?]
    /// Bytes of the C message, and so a measure of what one of these costs in memory.
    var footprint: Int

    func field(_ number: Int) -> Field? { number < fields.count ? fields[number] : nil }
}

/// The shapes of all messages that a `ModelProto` can hold.
struct Schema: Sendable {
    private(set) var messages: [MessageShape] = []

    static let onnx = unsafe Schema(root: rene_model_descriptor())

    static let model = 0
    static let graph = onnx.index(of: "onnx.GraphProto")
    static let node = onnx.index(of: "onnx.NodeProto")
    static let attribute = onnx.index(of: "onnx.AttributeProto")
    static let tensor = onnx.index(of: "onnx.TensorProto")
    static let function = onnx.index(of: "onnx.FunctionProto")
    static let entry = onnx.index(of: "onnx.StringStringEntryProto")
    static let sparseTensor = onnx.index(of: "onnx.SparseTensorProto")
    static let trainingInfo = onnx.index(of: "onnx.TrainingInfoProto")

    private init(root: UnsafePointer<ProtobufCMessageDescriptor>) {
        var indices: [UnsafePointer<ProtobufCMessageDescriptor>: Int] = unsafe [root: 0]
        var queue = unsafe [root]
        var position = 0
        while unsafe position < queue.count {
            let descriptor = unsafe queue[position].pointee
            position += 1
            var shape = unsafe MessageShape(
                name: String(cString: descriptor.name), fields: [], footprint: descriptor.sizeof_message)
            for index in 0..<Int(unsafe descriptor.n_fields) {
                let field = unsafe descriptor.fields[index]
                let content: MessageShape.Content
                switch unsafe field.type {
                case PROTOBUF_C_TYPE_FLOAT: content = .fixed32
                case PROTOBUF_C_TYPE_DOUBLE: content = .fixed64
                case PROTOBUF_C_TYPE_STRING: content = .string
                case PROTOBUF_C_TYPE_BYTES: content = .bytes
                case PROTOBUF_C_TYPE_MESSAGE:
                    guard let inner = unsafe field.descriptor?.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
                    else { continue }
                    if let known = unsafe indices[inner] {
                        content = .message(known)
                    } else {
                        content = unsafe .message(queue.count)
                        unsafe indices[inner] = queue.count
                        unsafe queue.append(inner)
                    }
                default: content = .varint
                }
                let number = Int(unsafe field.id)
                while shape.fields.count <= number { shape.fields.append(nil) }
                shape.fields[number] = unsafe .init(
                    name: String(cString: field.name), content: content,
                    isRepeated: field.label == PROTOBUF_C_LABEL_REPEATED)
            }
            messages.append(shape)
        }
    }

    private func index(of name: String) -> Int {
        messages.firstIndex { $0.name == name } ?? messages.count
    }
}
