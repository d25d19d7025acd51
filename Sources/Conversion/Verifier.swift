internal import ConverterKit

/// Reads a written model back and holds it against what was meant to be written. The factors' errors were measured on
/// the values that are stored, and the bytes are compared here, so that the figures of the report are those of the file.
struct Verifier {
    let importer: any ModelImporter
    let limits: ImportLimits

    /// Throws `output.read-back` with the first difference.
    func verify(_ file: String, against model: Model) throws {
        let written: Model
        do {
            written = try importer.importModel(at: file, limits: limits)
        } catch {
            throw ConversionError(
                "output.read-back", .internal, "the written model cannot be read back",
                remedy: "Report this with the model; the source is as it was.", cause: error.description)
        }
        if let difference = try ModelComparison.firstDifference(model, written) {
            throw ConversionError(
                "output.read-back", .internal, "the written model is not the one that was meant: \(difference)",
                remedy: "Report this with the model; the source is as it was.")
        }
    }
}

/// What verification found, with the measured error by layer.
struct Verification: Sendable {
    var facts: VerificationFacts
    var errors: [String: Double]
}
