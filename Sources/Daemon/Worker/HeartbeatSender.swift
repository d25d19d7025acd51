internal import Glibc
internal import Synchronization

/// The worker's end of the heartbeat pipe: a thread that writes a line every second, and at once (but at most ten times
/// a second) when there is progress. It says that the process gets processor time and is not stopped; whether the
/// conversion gets on is what the deadlines of the stages watch.
final class HeartbeatSender: Sendable {
    static let descriptor: Int32 = 3
    private static let idleMilliseconds = 1000
    private static let busyMilliseconds = 100

    private struct State {
        var beat = Beat()
        var isNew = true
        var isEnding = false
    }

    private let state = Mutex(State())

    /// `nil` when descriptor 3 is not a pipe: a person runs the worker.
    init?() {
        var status = stat()
        guard unsafe fstat(Self.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return nil }
        // Programs that the conversion starts must not keep the pipe open.
        _ = fcntl(Self.descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// Starts the thread. `onOrphaned` is called when nobody reads any more.
    func start(onOrphaned: @escaping @Sendable () -> Void) {
        ServiceThread.start {
            var idle = 0
            while true {
                let beat = self.state.withLock { state -> Beat? in
                    guard !state.isEnding else { return nil }
                    defer { state.isNew = false }
                    idle = state.isNew ? Self.idleMilliseconds : idle
                    return state.beat
                }
                guard var beat else { return }
                if idle >= Self.idleMilliseconds {
                    idle = 0
                    beat.memory = ProcessMemory.dataBytes
                    if let line = beat.line, !SmallFile.writeAll(line, to: Self.descriptor), errno == EPIPE {
                        return onOrphaned()
                    }
                }
                usleep(UInt32(Self.busyMilliseconds * 1000))
                idle += Self.busyMilliseconds
            }
        }
    }

    /// Takes note of progress; never waits. Progress that runs backwards within a stage, as it comes from several
    /// threads, is left out.
    func report(stage: String, fraction: Double, detail: String) {
        guard fraction.isFinite else { return }
        state.withLock { state in
            guard state.beat.stage != stage || fraction >= state.beat.fraction else { return }
            state.beat.stage = stage
            state.beat.fraction = fraction
            state.beat.detail = detail
            state.isNew = true
        }
    }

    func end() { state.withLock { $0.isEnding = true } }
}

/// Memory of this process.
enum ProcessMemory {
    /// Bytes of private writable memory, as `RLIMIT_DATA` counts them; 0 where `/proc` does not say.
    static var dataBytes: Int {
        // statm: size resident shared text lib data dt, in pages; "data" is private writable plus stack.
        guard let text = SmallFile.read("/proc/self/statm", limit: 4096) else { return 0 }
        let fields = String(decoding: text, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        return fields.count > 5 ? (Int(fields[5]) ?? 0) * Int(getpagesize()) : 0
    }
}
