public import Logging

/// The daemon's log: one line for each event, in the journal's layout where the journal reads it, through a sink that
/// never makes the daemon wait.
public struct ServiceLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let sink: LogSink
    private let layout: LogLayout

    public init(sink: LogSink, layout: LogLayout, level: Logger.Level = .info) {
        self.sink = sink
        self.layout = layout
        logLevel = level
    }

    /// A sink for `descriptor` whose note on dropped lines has the layout of the others.
    public static func sink(descriptor: Int32, layout: LogLayout, capacity: Int = 256 << 10) -> LogSink {
        LogSink(descriptor: descriptor, capacity: capacity) { count in
            layout.line(.warning, "log lines were dropped because nobody read them", ["count": "\(count)"])
        }
    }

    public func log(event: LogEvent) {
        var pairs = metadata
        if let provided = metadataProvider?.get() { pairs.merge(provided) { _, new in new } }
        if let own = event.metadata { pairs.merge(own) { _, new in new } }
        sink.append(layout.line(event.level, event.message.description, pairs))
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}
