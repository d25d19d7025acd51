internal import ConverterKit
internal import FineTuning

extension ConversionSettings {
    /// SHA-256 of the settings that the written model depends on, in hexadecimal. The time limit, the memory at hand and
    /// whether files are replaced are not among them.
    package func digest() throws -> String {
        var essential = self
        essential.overwrite = false
        essential.timeLimit = nil
        // The same data under another name are the same settings.
        essential.data = try data.map(DataDigest.of)
        essential.fineTuning.threads = 1
        essential.teacher = try teacher.map { try SHA256.digest(ofFile: $0) }
        essential.validationData = try validationData.map(DataDigest.of)
        return try SHA256.digest(of: ReportEncoder.json(essential))
    }
}
