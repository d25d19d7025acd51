internal import ConverterKit

/// Where each external tensor of a model goes: the same file and the same place as in the source where nothing was
/// taken out or put in, else places in the same order at the same alignment.
struct ExternalLayout {
    /// A run of bytes of a data file.
    struct Chunk {
        var offset: Int
        var source: ByteSource
    }

    /// A data file to be written; chunks in rising order, gaps are zero.
    struct File {
        var location: String
        var chunks: [Chunk]
        /// False when the file is the source's own, byte for byte.
        var isLaidOut: Bool
    }

    private(set) var files: [File] = []
    /// Offset and file index of each external tensor, in the order of `TensorWalk`.
    private var placements: [(file: Int, offset: Int)] = []

    private struct Item {
        var index: Int
        var source: ByteSource
        /// Where the model says that it lies; `nil` for a tensor to be placed.
        var offset: Int?
    }

    static let page = 4096

    init(_ model: Model) throws(ConversionError) {
        var order: [String: Int] = [:]
        var items: [[Item]] = []
        var locations: [String] = []
        var count = 0
        try TensorWalk.forEach(in: model) { tensor throws(ConversionError) in
            guard case .external(let external) = tensor.payload else { return }
            let key = external.location.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            let file = order[key] ?? items.count
            if file == items.count {
                order[key] = file
                items.append([])
                locations.append(external.location)
            }
            items[file].append(
                Item(index: count, source: external.bytes, offset: external.offset ?? Self.impliedOffset(external)))
            count += 1
        }
        placements = Array(repeating: (0, 0), count: count)
        for (file, location) in locations.enumerated() { lay(items[file], in: file, location: location) }
    }

    /// A reference that states no offset means 0, where it is one that was read.
    private static func impliedOffset(_ external: ExternalData) -> Int? {
        guard !external.entries.isEmpty, case .file(_, 0) = external.bytes.storage else { return nil }
        return 0
    }

    private mutating func lay(_ items: [Item], in file: Int, location: String) {
        if let whole = Self.wholeSource(items) {
            files.append(File(location: location, chunks: [Chunk(offset: 0, source: whole)], isLaidOut: false))
            for item in items { placements[item.index] = (file, item.offset ?? 0) }
            return
        }
        let stated = items.filter { $0.offset != nil }.sorted {
            ($0.offset ?? 0, $0.index) < ($1.offset ?? 0, $1.index)
        }
        let isPaged = stated.allSatisfy { ($0.offset ?? 0) % Self.page == 0 }
        let alignment = isPaged ? Self.page : 64
        var chunks: [Chunk] = []
        var known: [Region: Int] = [:]
        var end = 0
        for item in stated + items.filter({ $0.offset == nil }) {
            let region = Region(item.source)
            if let region, let offset = known[region] {
                placements[item.index] = (file, offset)
                continue
            }
            let aligned = (end + alignment - 1) / alignment * alignment
            let kept = item.offset.flatMap { $0 >= end && $0 - end < alignment ? $0 : nil }
            let offset = kept ?? aligned
            placements[item.index] = (file, offset)
            chunks.append(Chunk(offset: offset, source: item.source))
            end = offset + item.source.count
            if let region { known[region] = offset }
        }
        files.append(File(location: location, chunks: chunks, isLaidOut: true))
    }

    /// The source's data file as a whole, when every tensor still lies where it lay in it.
    private static func wholeSource(_ items: [Item]) -> ByteSource? {
        guard case .file(let file, _) = items.first?.source.storage else { return nil }
        for item in items {
            guard case .file(let other, let offset) = item.source.storage, other === file, offset == item.offset
            else { return nil }
        }
        return try? ByteSource(file: file, offset: 0, count: file.size)
    }

    /// The identity of a region of a file; tensors that share one share it in the output too.
    private struct Region: Hashable {
        var file: ObjectIdentifier
        var offset: Int
        var count: Int

        init?(_ source: ByteSource) {
            guard case .file(let file, let offset) = source.storage else { return nil }
            self.file = ObjectIdentifier(file)
            self.offset = offset
            count = source.count
        }
    }

    /// States the places in the model's references.
    func apply(to model: inout Model) throws(ConversionError) {
        var count = 0
        try TensorWalk.update(&model) { tensor throws(ConversionError) in
            guard case .external(var external) = tensor.payload else { return false }
            let placement = placements[count]
            count += 1
            guard files[placement.file].isLaidOut else { return false }
            external.place(at: placement.offset)
            tensor.payload = .external(external)
            return true
        }
    }
}

extension ExternalData {
    /// States a new place; the checksum of the old file goes.
    fileprivate mutating func place(at place: Int) {
        entries.removeAll { $0.key == "checksum" }
        if !entries.contains(where: { $0.key == "location" }) {
            entries.insert(MetadataEntry(key: "location", value: location), at: 0)
        }
        offset = place
        length = bytes.count
        for (key, number) in [("offset", place), ("length", bytes.count)] {
            if let index = entries.firstIndex(where: { $0.key == key }) {
                entries[index].value = String(number)
            } else {
                entries.append(MetadataEntry(key: key, value: String(number)))
            }
        }
    }
}
