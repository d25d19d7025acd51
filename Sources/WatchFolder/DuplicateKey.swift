/// What makes two jobs the same job: the content of the model with its companions, and the settings. Both digests are
/// computed elsewhere; file names and times are no part of it.
public struct DuplicateKey: Sendable, Hashable {
    /// SHA-256 of the set's content, in hexadecimal.
    public var content: String
    /// SHA-256 of the effective settings, in hexadecimal.
    public var settings: String

    public init(content: String, settings: String) {
        self.content = content
        self.settings = settings
    }
}
