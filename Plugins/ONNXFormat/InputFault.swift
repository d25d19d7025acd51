internal import ConverterKit

/// Makers of the errors about a file that is not a sound model.
enum InputFault {
    static let exportAgain = "Export the model again, or check that the file is complete."

    /// A file that breaks the format or a rule of it.
    static func bad(
        _ code: ConversionError.Code, _ message: String, remedy: String = exportAgain, node: String? = nil,
        tensor: String? = nil, offset: Int? = nil
    ) -> ConversionError {
        ConversionError(
            code, .badInput, message, remedy: remedy, site: .init(node: node, tensor: tensor, offset: offset))
    }

    /// A file that is beyond one of `ImportLimits`.
    static func limit(_ code: ConversionError.Code, _ message: String, offset: Int? = nil) -> ConversionError {
        bad(
            code, message, remedy: "If the file is trusted, raise the limit; otherwise do not use the file.",
            offset: offset)
    }
}
