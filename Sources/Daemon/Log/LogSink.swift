internal import CLinux
internal import Glibc
internal import Synchronization

/// Takes log lines from any thread without waiting, and writes them to a descriptor on a thread of its own. When the
/// reader at the other end does not read, lines beyond the buffer are dropped and counted; the count is written as soon
/// as there is room.
public final class LogSink: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var dropped = 0
        var isWriting = false
    }

    private let state = Mutex(State())
    private let wake = rene_eventfd()
    private let descriptor: Int32
    private let capacity: Int
    /// The line that tells how many were dropped, without its end.
    private let dropNote: @Sendable (Int) -> String

    /// - Parameter capacity: bytes that wait at most.
    public init(
        descriptor: Int32, capacity: Int = 256 << 10,
        dropNote: @escaping @Sendable (Int) -> String = { "\($0) log lines were dropped" }
    ) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.dropNote = dropNote
        ServiceThread.start { [self] in writeForEver() }
    }

    /// Lines dropped that have not been told of yet.
    public var dropped: Int { state.withLock(\.dropped) }

    /// Adds a line; its end is added. Never waits.
    public func append(_ line: String) {
        let taken = state.withLock { state -> Bool in
            guard state.pending.count + line.utf8.count < capacity else {
                state.dropped += 1
                return false
            }
            state.pending += line.utf8
            state.pending.append(UInt8(ascii: "\n"))
            return true
        }
        if taken { _ = rene_eventfd_raise(wake) }
    }

    /// Waits until all is written, at most for `time`: for the end of the process.
    /// - Returns: whether all is written.
    @discardableResult
    public func flush(within time: Duration = .seconds(1)) -> Bool {
        let end = SuspendingClock.now + time
        repeat {
            if state.withLock({ $0.pending.isEmpty && $0.dropped == 0 && !$0.isWriting }) { return true }
            usleep(2000)
        } while SuspendingClock.now < end
        return false
    }

    private func writeForEver() {
        while true {
            guard rene_eventfd_wait(wake) == 0 || errno == EINTR else { return }
            while let chunk = next() {
                write(chunk)
                state.withLock { $0.isWriting = false }
            }
        }
    }

    /// What is to be written now, with the note on what was dropped behind it.
    private func next() -> [UInt8]? {
        state.withLock { state in
            guard !state.pending.isEmpty || state.dropped > 0 else { return nil }
            var chunk = state.pending
            state.pending.removeAll(keepingCapacity: true)
            if state.dropped > 0 {
                chunk += (dropNote(state.dropped) + "\n").utf8
                state.dropped = 0
            }
            state.isWriting = true
            return chunk
        }
    }

    /// Writes on a descriptor that may be non-blocking; gives up on a chunk that nobody will ever read.
    private func write(_ chunk: [UInt8]) {
        var done = 0
        while done < chunk.count {
            let count = unsafe chunk.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count > 0 {
                done += count
            } else if errno == EAGAIN {
                var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&polled, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}
