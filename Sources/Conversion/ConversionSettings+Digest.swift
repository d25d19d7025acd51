internal import ConverterKit

extension ConversionSettings {
    /// SHA-256 of the settings that the written model depends on, in hexadecimal. The time limit, the memory at hand and
    /// whether files are replaced are not among them.
    package func digest() throws -> String {
        var essential = self
        essential.overwrite = false
        essential.timeLimit = nil
        return try SHA256.digest(of: ReportEncoder.json(essential))
    }
}
