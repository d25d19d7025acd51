internal import ConverterKit
internal import Glibc
internal import PluginHost

/// The models that come with the program, written `sample:NAME` where a model is asked for.
enum Samples {
    static let names = ["cnn", "vit"]
    /// Data for them, `sample:digits` after `--data`.
    private static let dataFiles = ["digits": "digits-test.npz"]

    /// The file that `argument` means: a sample's, or the argument itself.
    static func resolve(_ argument: String) throws(ConversionError) -> String {
        guard argument.hasPrefix("sample:") else { return argument }
        let name = String(argument.dropFirst("sample:".count))
        let folder = Executable.folder
        let file = dataFiles[name] ?? name + ".onnx"
        let places = [folder + "/rene_rene.resources/Samples", folder + "/../share/rene/samples"]
        for place in places where names.contains(name) || dataFiles[name] != nil {
            let path = "\(place)/\(file)"
            if unsafe access(path, R_OK) == 0 { return path }
        }
        throw ConversionError(
            "input.sample-missing", .missingInput, "there is no sample called \(name)",
            remedy:
                "Use one of: \(names.map { "sample:" + $0 }.joined(separator: ", ")); install the program with its samples."
        )
    }
}

/// The running program.
enum Executable {
    /// Absolute path, links resolved.
    static let path: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return CommandLine.arguments.first ?? "rene" }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    static var folder: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
}
