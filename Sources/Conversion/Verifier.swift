internal import ConverterKit

/// Reads a written model back and holds it against what was meant to be written. The factors' errors were measured on
/// the values that are stored, and the bytes are compared here, so that the figures of the report are those of the file.
struct Verifier {
    let importer: any ModelImporter
    let limits: ImportLimits

    /// The model that was read back. Throws `output.read-back` with the first difference.
    func verify(_ file: String, against model: Model) throws -> Model {
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
        return written
    }
}

extension VerificationFacts {
    /// Runs the written model beside the original. What keeps it from running leaves the facts without figures.
    mutating func execute(_ written: Model, _ decided: RankDecision.Decided) throws {
        guard let meter = decided.meter else {
            notExecuted = decided.refusal
            return
        }
        do {
            let measurement = try meter.measure(written)
            executed = true
            inputs = meter.data.tier == .none ? "drawn" : "data"
            relativeOutputError = measurement.relativeError
            (top1Before, top1After, agreement) = (meter.top1Before, measurement.top1, measurement.agreement)
        } catch let error as ConversionError where "execution" ~= error || error.code == "conversion.time-limit" {
            notExecuted = OutputMeter.reason(error)
        }
    }
}

/// What verification found, with the measured error by layer.
struct Verification: Sendable {
    var facts: VerificationFacts
    var errors: [String: Double]
}
