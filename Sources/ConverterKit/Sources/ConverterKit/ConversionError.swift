/// What went wrong, where, and what to do about it. The one error type that crosses the plugin boundary.
public struct ConversionError: Error, Sendable, Hashable {
    /// A stable, dotted, kebab-case identifier such as `onnx.external-data.escapes-directory`.
    public struct Code: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
        public let name: String

        public init(_ name: String) { self.name = name }
        public init(stringLiteral value: String) { name = value }

        public var description: String { name }

        /// Matches the code itself and every code of its family: `onnx.external-data` matches
        /// `onnx.external-data.missing`.
        public static func ~= (family: Code, code: Code) -> Bool {
            code == family || code.name.hasPrefix(family.name + ".")
        }
    }

    /// What the program does about an error; each kind has an exit status of sysexits.h.
    public enum Kind: Int32, Sendable, Hashable, CaseIterable {
        case usage = 64
        case badInput = 65
        case missingInput = 66
        case pluginUnavailable = 69
        case `internal` = 70
        case cannotCreateOutput = 73
        case inputOutput = 74
        case temporary = 75
        case configuration = 78

        public var exitStatus: Int32 { rawValue }
    }

    /// The place in the input that the error is about.
    public struct Site: Sendable, Hashable, CustomStringConvertible {
        public var file: String?
        public var node: String?
        public var tensor: String?
        public var offset: Int?

        public init(file: String? = nil, node: String? = nil, tensor: String? = nil, offset: Int? = nil) {
            self.file = file
            self.node = node
            self.tensor = tensor
            self.offset = offset
        }

        public var description: String {
            var parts: [String] = []
            if let file { parts.append("file \(file)") }
            if let node { parts.append("node \(node)") }
            if let tensor { parts.append("tensor \(tensor)") }
            if let offset { parts.append("offset \(offset)") }
            return parts.joined(separator: ", ")
        }
    }

    public var code: Code
    public var kind: Kind
    public var message: String
    /// What the person can do, as one sentence.
    public var remedy: String
    public var site: Site
    public var cause: String?

    public init(
        _ code: Code, _ kind: Kind, _ message: String, remedy: String, site: Site = Site(), cause: String? = nil
    ) {
        self.code = code
        self.kind = kind
        self.message = message
        self.remedy = remedy
        self.site = site
        self.cause = cause
    }

    public static func ~= (family: Code, error: ConversionError) -> Bool { family ~= error.code }

    /// The same error with the parts of `site` that it does not have yet.
    public func at(_ site: Site) -> ConversionError {
        var copy = self
        copy.site.file = copy.site.file ?? site.file
        copy.site.node = copy.site.node ?? site.node
        copy.site.tensor = copy.site.tensor ?? site.tensor
        copy.site.offset = copy.site.offset ?? site.offset
        return copy
    }
}

extension ConversionError: CustomStringConvertible {
    public var description: String {
        var text = "\(message) [\(code)]"
        let place = site.description
        if !place.isEmpty { text += " (\(place))" }
        if let cause { text += ": \(cause)" }
        return text + "\n  remedy: \(remedy)"
    }
}
