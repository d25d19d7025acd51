internal import ConverterKit

/// What the written model says of itself in its metadata. Keys of an earlier conversion are replaced, so that converting
/// twice leaves one set.
struct Provenance: Sendable {
    /// The key by which this program knows its own outputs.
    static let versionKey = "rene.version"

    var sourceDigest: String
    var settingsDigest: String
    var before: (parameters: Int, macs: Int)
    var after: (parameters: Int, macs: Int)

    func record(in model: inout Model) {
        let entries = [
            (Self.versionKey, Version.current),
            ("rene.source_sha256", sourceDigest),
            ("rene.settings_sha256", settingsDigest),
            ("rene.parameters_before", String(before.parameters)),
            ("rene.parameters_after", String(after.parameters)),
            ("rene.macs_before", String(before.macs)),
            ("rene.macs_after", String(after.macs)),
        ]
        let keys = Set(entries.map(\.0))
        model.metadata.removeAll { $0.key.map(keys.contains) ?? false }
        model.metadata += entries.map { MetadataEntry(key: $0.0, value: $0.1) }
    }
}
