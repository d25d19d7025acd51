internal import FoundationEssentials
internal import Logging

/// How a log line looks.
public enum LogLayout: Sendable, Hashable {
    /// `<6>message key=value`: the journal takes the priority off and knows the time itself.
    case journal
    /// `2026-01-31T12:00:00Z info message key=value`.
    case plain

    /// `journal` if the descriptor is the journal's stream that `JOURNAL_STREAM` names (`device:inode`).
    public static func detect(descriptor: Int32, environment: [String] = WorkerCommand.currentEnvironment) -> LogLayout
    {
        let name = "JOURNAL_STREAM="
        let value = environment.first { $0.hasPrefix(name) }?.dropFirst(name.utf8.count)
        guard let value, let identity = FileIdentity(descriptor: descriptor) else { return .plain }
        return value == "\(identity.device):\(identity.inode)" ? .journal : .plain
    }
}

extension LogLayout {
    func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
        var line: String
        switch self {
        case .journal: line = "<\(Self.priority(of: level))>"
        case .plain: line = "\(Date.now.ISO8601Format()) \(level.rawValue) "
        }
        line += Self.escaped(message, quoting: false)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.escaped("\(value)", quoting: true))"
        }
        return line
    }

    /// Priorities of syslog(3).
    static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// The text on one line without control characters. A value of metadata that is empty or holds a space, a quote or
    /// an equals sign is put in quotes, so that the pairs can be told apart again.
    static func escaped(_ text: String, quoting: Bool) -> String {
        var escaped = ""
        var needsQuotes = text.isEmpty
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": escaped += "\\n"
            case "\\" where quoting: escaped += "\\\\"
            case "\"" where quoting:
                escaped += "\\\""
                needsQuotes = true
            case _ where scalar.value < 0x20 || 0x7f...0x9f ~= scalar.value || 0x2028...0x202e ~= scalar.value:
                escaped += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                if scalar == " " || scalar == "=" { needsQuotes = true }
                escaped.unicodeScalars.append(scalar)
            }
        }
        return quoting && needsQuotes ? "\"\(escaped)\"" : escaped
    }
}
