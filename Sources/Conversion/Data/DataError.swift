internal import ConverterKit

/// The errors of data files.
enum DataError {
    static func missing(_ message: String) -> ConversionError {
        ConversionError("data.missing", .missingInput, message, remedy: "Check the path after --data.")
    }

    static func format(_ message: String, cause: String? = nil) -> ConversionError {
        ConversionError(
            "data.format", .badInput, message,
            remedy: "Write the file again with numpy.savez or numpy.save, or copy it again.", cause: cause)
    }

    static func type(_ message: String) -> ConversionError {
        ConversionError(
            "data.type", .badInput, message,
            remedy: "Store the array as little-endian numbers of a type that the model's input can hold.")
    }

    static func shape(_ message: String) -> ConversionError {
        ConversionError(
            "data.shape", .badInput, message,
            remedy: "Give each array the model's extents after a first axis that counts the samples.")
    }

    static func names(_ message: String) -> ConversionError {
        ConversionError(
            "data.names", .badInput, message,
            remedy: "Name the arrays as the model's inputs (x where there is one), and the labels y.")
    }

    static func labels(_ message: String) -> ConversionError {
        ConversionError(
            "data.labels", .badInput, message,
            remedy: "Give integer class numbers from 0 on as y, one for each sample.")
    }

    static func normalization(_ message: String) -> ConversionError {
        ConversionError(
            "data.normalization", .badInput, message,
            remedy: "Write mean=…,std=…,scale=… with one number, or one for each channel.")
    }

    static func empty(_ path: String) -> ConversionError {
        ConversionError(
            "data.empty", .badInput, "\(path) holds no samples", remedy: "Give a file with at least one sample.")
    }
}
