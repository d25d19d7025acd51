internal import ConverterKit

/// The errors of running a graph; each is completed with the node where it came up.
enum ExecutionError {
    static func shape(_ message: String) -> ConversionError {
        ConversionError(
            "execution.shape", .badInput, message, remedy: "Check the shapes of the data and of the model's inputs.")
    }

    static func type(_ message: String) -> ConversionError {
        ConversionError(
            "execution.type", .badInput, message, remedy: "Check the element types of the data and of the model.")
    }

    static func attribute(_ message: String) -> ConversionError {
        ConversionError(
            "execution.attribute", .badInput, message, remedy: "Check the node's attributes, or export the model again."
        )
    }

    static func missingInput(_ name: String) -> ConversionError {
        ConversionError(
            "execution.missing-input", .badInput, "the input \(name) is not given",
            remedy: "Give an array of that name with the data.")
    }

    static func unsupported(_ message: String) -> ConversionError {
        ConversionError(
            "execution.unsupported", .badInput, message,
            remedy: "The model can still be converted from its weights; it is not executed.")
    }

    static func noGradient(_ message: String) -> ConversionError {
        ConversionError(
            "execution.no-gradient", .badInput, message,
            remedy: "Convert without fine-tuning, or leave the parameters before that node as they are.")
    }

    static func memory(_ message: String) -> ConversionError {
        ConversionError(
            "execution.memory", .badInput, message, remedy: "Raise --memory-limit, or use a smaller --batch-size.")
    }

    static func nonFinite(_ message: String) -> ConversionError {
        ConversionError(
            "execution.non-finite", .badInput, message,
            remedy: "Check the data and the model's weights for NaN and infinity.")
    }

    static func `internal`(_ message: String) -> ConversionError {
        ConversionError("execution.internal", .internal, message, remedy: "Report this.")
    }
}
