internal import CONNX
internal import ConverterKit

extension ModelReader {
    /// Payloads shorter than this are read into memory; longer ones stay regions of the file.
    static let smallPayload = 4096

    @inline(never)
    mutating func tensor(_ field: WireField) throws(ConversionError) -> Tensor {
        var stored = StoredElements()
        var strings: [[UInt8]] = []
        var entries: [MetadataEntry] = []
        var isExternal = false
        var encodedEntries: [UInt8] = []
        var parts = MessageParts(window, shell: [1, 2, 8], documents: [12])
        var cursor = MessageCursor(window, from: field.content, to: field.end)
        while let field = try cursor.next() {
            switch field.number {
            case TensorField.segment:
                throw InputFault.bad(
                    "onnx.tensor.segment", "a tensor is stored in segments, which no runtime reads",
                    offset: field.start)
            case TensorField.strings: strings.append(try window.bytes(from: field.content, to: field.end))
            case TensorField.externalData:
                entries.append(try entry(field))
                try window.append(from: field.start, to: field.end, to: &encodedEntries)
            case TensorField.dataLocation:
                isExternal = field.varint == 1
                if !isExternal { try parts.keep(field) }
            case _ where TensorField.isPayload(field.number): try stored.add(field, window)
            default: try parts.keep(field)
            }
        }
        var tensor = try unsafe parts.withShell(
            onnx__tensor_proto__unpack, onnx__tensor_proto__free_unpacked
        ) { shell in
            unsafe Tensor(
                name: Text.string(shell.name),
                elementTypeNumber: shell.has_data_type != 0 ? shell.data_type : 0,
                shape: Array(UnsafeBufferPointer(start: shell.dims, count: shell.n_dims)), payload: .none,
                docString: Text.string(shell.doc_string), unmodelled: parts.unmodelled)
        }
        do throws(ConversionError) {
            try TensorRules.checkShape(tensor, limits: limits)
            guard [!strings.isEmpty, stored.number != nil, isExternal].filter({ $0 }).count <= 1 else {
                throw StoredElements.severalPayloads(field)
            }
            if isExternal, external.onlyNames {
                try external.note(entries)
                return tensor
            }
            if isExternal {
                tensor.payload = .external(try external.data(entries, for: tensor))
            } else {
                tensor.unmodelled += encodedEntries
                tensor.payload = strings.isEmpty ? try payload(stored) : .strings(strings)
            }
            try TensorRules.checkPayload(tensor, varints: stored.varintCount(window))
        } catch {
            throw error.at(.init(tensor: tensor.name, offset: field.start))
        }
        return tensor
    }

    private mutating func payload(_ stored: StoredElements) throws(ConversionError) -> Tensor.Payload {
        guard let number = stored.number else { return .none }
        let source: ByteSource
        if let gathered = stored.gathered {
            source = ByteSource(gathered)
        } else if let field = stored.field, field.count >= Self.smallPayload || field.count > retainable {
            source = try ByteSource(file: window.file, offset: field.content, count: field.count)
        } else if let field = stored.field {
            retainable -= field.count
            source = ByteSource(try window.bytes(from: field.content, to: field.end))
        } else {
            return .none
        }
        guard let typed = Tensor.TypedField(rawValue: number) else { return .raw(source) }
        switch typed {
        case .float, .double: return .words(typed, source)
        case .int32, .int64, .uint64: return .varints(typed, source)
        }
    }
}

/// The elements of a tensor as they lie in the file: one field of packed numbers or raw bytes, or numbers that stand
/// one by one and are gathered into packed form.
struct StoredElements {
    private(set) var number: Int?
    private(set) var field: WireField?
    private(set) var gathered: [UInt8]?

    mutating func add(_ next: WireField, _ window: FileWindow) throws(ConversionError) {
        // A packed field without numbers says the same as none; raw data without bytes does not.
        guard next.count > 0 || next.number == TensorField.raw else { return }
        guard number == nil || (number == next.number && number != TensorField.raw) else {
            throw Self.severalPayloads(next)
        }
        number = next.number
        if field == nil, gathered == nil, next.type == .lengthDelimited {
            field = next
            return
        }
        var bytes = gathered ?? []
        if let first = field {
            try window.append(from: first.content, to: first.end, to: &bytes)
            field = nil
        }
        try window.append(from: next.content, to: next.end, to: &bytes)
        gathered = bytes
    }

    /// How many varints there are; 0 where the elements are not varints.
    func varintCount(_ window: FileWindow) throws(ConversionError) -> Int {
        switch number {
        case TensorField.int32, TensorField.int64, TensorField.uint64:
            if let gathered { return gathered.count { $0 < 0x80 } }
            guard let field else { return 0 }
            return try VarintCount.count(in: window, from: field.content, to: field.end)
        default: return 0
        }
    }

    static func severalPayloads(_ field: WireField) -> ConversionError {
        InputFault.bad(
            "onnx.tensor.several-payloads", "a tensor's elements are stored in more than one way", offset: field.start)
    }
}
