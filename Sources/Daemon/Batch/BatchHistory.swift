internal import Conversion
internal import ConverterKit
internal import WatchFolder

/// Tells from the reports of an output folder what an earlier run has done.
struct BatchHistory: Sendable {
    /// What a report must say for its output to be taken for that of the model at `source`.
    let settings: ConversionSettings

    enum Finding: Sendable, Hashable {
        /// The output is there, made from this very source with these settings.
        case done(ReportSummary?)
        /// A run was interrupted while it published: the report, which comes first, is there and the model, which comes
        /// last, is not. What there is is replaced.
        case interrupted
        /// There is no result, or one of something else.
        case open
    }

    /// Looks at the report that the result of `source` would have.
    func finding(source: String, report: String) throws(ConversionError) -> Finding {
        guard let known = Report(file: report), let result = known.result else { return .open }
        let output = BytePath(report).parent.appending(BytePath(result.path).name)
        guard FileStatus.of(output) != nil else { return .interrupted }
        guard Self.essential(known.settings) == Self.essential(settings),
            try SHA256.digest(ofFile: source) == known.source.sha256,
            try SHA256.digest(ofFile: JobClaim.text(output)) == result.sha256
        else { return .open }
        return .done(known.summary)
    }

    /// The settings without those that follow from the machine.
    private static func essential(_ settings: ConversionSettings) -> ConversionSettings {
        var settings = settings
        settings.threads = 1
        settings.memoryLimit = nil
        settings.timeLimit = nil
        settings.overwrite = false
        return settings
    }
}
