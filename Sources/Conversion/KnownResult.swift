internal import ConverterKit

/// A published result of the same content with the same settings, to be copied instead of made again.
public struct KnownResult: Codable, Sendable, Hashable {
    public struct File: Codable, Sendable, Hashable {
        /// Absolute.
        public var path: String
        /// Hexadecimal.
        public var sha256: String

        public init(path: String, sha256: String) {
            self.path = path
            self.sha256 = sha256
        }
    }

    /// In the order of publication: reports, data files, the model last.
    public var files: [File]

    public init(files: [File]) { self.files = files }

    /// Copies the result into the folder `output` for the model at `source`. The copied files are compared with the
    /// recorded digests, the report gets the new names.
    ///
    /// - Returns: `nil`, with nothing left in `output`, when the files are not what they were, or when a model with data
    ///   files would need another name, which it could not have without being written anew.
    func copy(for source: String, to output: String, shown: Converter.ShownPaths?) throws -> Copied? {
        let reports = files.filter { $0.path.hasSuffix(".report.json") || $0.path.hasSuffix(".report.html") }
        guard let model = files.last, reports.count == 2,
            let json = reports.first(where: { $0.path.hasSuffix(".json") }),
            var report = Report(file: json.path), var result = report.result, result.sha256 == model.sha256
        else { return nil }
        let (old, new) = (FileName.stem(of: model.path), FileName.stem(of: source))
        guard old == new || files.count == 3 else { return nil }

        let staging = try Staging(in: output)
        func target(_ file: File) -> String {
            let name = FileName.last(of: file.path)
            return staging.path + "/" + (name.hasPrefix(old + ".") ? new + name.dropFirst(old.count) : name)
        }
        var copies: [String] = []
        for file in files where !reports.contains(file) {
            let path = target(file)
            guard (try? FileCopy.copy(file.path, to: path)) != nil, try SHA256.digest(ofFile: path) == file.sha256
            else {
                return nil
            }
            copies.append(path)
        }
        result.path = (shown?.folder ?? output) + "/" + FileName.last(of: target(model))
        report.source.path = shown?.source ?? source
        report.result = result
        report.copyOf = report.copyOf ?? model.path
        try Publisher.write(report.json(), to: target(json))
        try Publisher.write(HTMLReport(report).bytes, to: staging.path + "/\(new).report.html")
        let names = reports.map(target) + copies
        let published = try Publisher(directory: output, replacing: false).publish(names)
        return Copied(
            report: report,
            published: .init(
                model: published.last ?? "", dataFiles: Array(published[2...].dropLast()),
                reports: Array(published[..<2])))
    }

    struct Copied {
        var report: Report
        var published: Converter.PublishedModel
    }
}
