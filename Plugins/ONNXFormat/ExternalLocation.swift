internal import ConverterKit

/// The path of an external data file, relative to the model's folder.
enum ExternalLocation {
    /// Refuses what could name a file outside the folder, or no file. The file system has the last word when the file
    /// is opened.
    static func check(_ location: String, limits: ImportLimits = ImportLimits()) throws(ConversionError) {
        let remedy = "Export the model with its data file in the model's own folder."
        func refuse(_ code: ConversionError.Code, _ reason: String) -> ConversionError {
            InputFault.bad(code, "the external data file \(location.debugDescription) \(reason)", remedy: remedy)
        }
        guard !location.isEmpty else { throw refuse("external-data.no-location", "has no name") }
        guard !location.hasPrefix("/") else { throw refuse("external-data.absolute", "is an absolute path") }
        let components = location.split(separator: "/")
        guard !components.contains("..") else {
            throw refuse("external-data.escapes-directory", "leaves the model's folder")
        }
        guard location.utf8.count <= limits.nameBytes, components.allSatisfy({ $0.utf8.count <= 255 }) else {
            throw refuse("external-data.name-too-long", "has a name longer than a file system takes")
        }
        guard let last = components.last, last != ".", !location.hasSuffix("/") else {
            throw refuse("external-data.not-a-file", "is a folder")
        }
        guard !location.utf8.contains(0) else { throw refuse("external-data.no-location", "holds a zero byte") }
    }
}
