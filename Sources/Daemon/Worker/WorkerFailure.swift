internal import ConverterKit

/// An error as `error.json` holds it.
struct WorkerFailure: Codable, Sendable, Hashable {
    struct Site: Codable, Sendable, Hashable {
        var file: String?
        var node: String?
        var tensor: String?
        var offset: Int?
    }

    var code: String
    /// An exit status of `ConversionError.Kind`.
    var status: Int32
    var message: String
    var remedy: String
    var site: Site
    var cause: String?

    /// Longest text that is taken over from a worker, in characters.
    static let textLimit = 4096

    init(_ error: ConversionError) {
        code = error.code.name
        status = error.kind.exitStatus
        message = error.message
        remedy = error.remedy
        site = Site(
            file: error.site.file, node: error.site.node, tensor: error.site.tensor, offset: error.site.offset)
        cause = error.cause
    }

    /// The error, with texts cut to `textLimit`; `nil` if code or status is none of ours.
    var error: ConversionError? {
        guard let kind = ConversionError.Kind(rawValue: status), Self.isCode(code) else { return nil }
        return ConversionError(
            .init(code), kind, Self.cut(message), remedy: Self.cut(remedy),
            site: .init(
                file: site.file.map(Self.cut), node: site.node.map(Self.cut), tensor: site.tensor.map(Self.cut),
                offset: site.offset),
            cause: cause.map(Self.cut))
    }

    private static func cut(_ text: String) -> String { String(text.prefix(textLimit)) }

    private static func isCode(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128
            && text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
                    || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            }
    }
}
