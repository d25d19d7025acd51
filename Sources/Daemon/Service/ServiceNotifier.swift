internal import Glibc

/// Tells the service manager how the daemon is (sd_notify(3)). Without a manager every call does nothing.
public struct ServiceNotifier: Sendable {
    private let socket: NotifySocket?
    /// How often `watchdog()` has to be called: half of what the manager waits; `nil` if it does not watch.
    public let watchdogInterval: Duration?

    /// - Parameter environment: `NAME=value`: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    public init(environment: [String] = WorkerCommand.currentEnvironment) {
        func value(_ name: String) -> String? {
            environment.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
        }
        socket = value("NOTIFY_SOCKET").flatMap { NotifySocket(name: $0) }
        let isForThis = value("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
        let interval = value("WATCHDOG_USEC").flatMap { Int64($0) }
        if let interval, interval > 0, isForThis, socket != nil {
            watchdogInterval = .microseconds(interval / 2)
        } else {
            watchdogInterval = nil
        }
    }

    /// Whether there is a manager to tell.
    public var isSupervised: Bool { socket != nil }

    /// Start-up or a reload is over.
    @discardableResult
    public func ready(status: String) -> Bool { send("READY=1", "STATUS=\(Self.line(status))") }

    /// One line for people, such as `3 queued, converting resnet50: searching 41 %`.
    @discardableResult
    public func status(_ text: String) -> Bool { send("STATUS=\(Self.line(text))") }

    /// The settings are being read again; to be followed by `ready`.
    @discardableResult
    public func reloading() -> Bool {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
        return send("RELOADING=1", "MONOTONIC_USEC=\(microseconds)")
    }

    @discardableResult
    public func stopping(status: String) -> Bool { send("STOPPING=1", "STATUS=\(Self.line(status))") }

    /// A sign of life; to be sent only when every loop of the daemon answers.
    @discardableResult
    public func watchdog() -> Bool { send("WATCHDOG=1") }

    /// Asks for more time to start, reload or stop: as long as this comes again within `time`, no time-out ends the
    /// daemon.
    @discardableResult
    public func extendTimeout(by time: Duration) -> Bool {
        send("EXTEND_TIMEOUT_USEC=\(max(1, Int64(time / .microseconds(1))))")
    }

    private func send(_ assignments: String...) -> Bool { socket?.send(assignments.joined(separator: "\n")) ?? false }

    /// The text as one line that cannot hold another assignment, cut to what a status bar shows.
    private static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }.prefix(480)))
    }
}
