internal import Glibc

/// The daemon's end of the heartbeat pipe: cuts what arrives into lines, holds at most one line, and believes nothing
/// that is not a heartbeat.
struct HeartbeatReader {
    enum Event: Equatable {
        case beat(Beat)
        /// The worker's crash note: an allocation was refused.
        case memoryRefused
    }

    private var line: [UInt8] = []
    private var isSkipping = false

    /// Reads once what the pipe holds, at most 64 KiB, and hands on the events in it.
    /// - Returns: `false` at the end of the pipe.
    mutating func read(_ descriptor: Int32, _ handle: (Event) -> Void) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
        if count < 0 { return errno == EINTR || errno == EAGAIN }
        for byte in chunk[..<count] { take(byte, handle) }
        return count > 0
    }

    mutating func take(_ byte: UInt8, _ handle: (Event) -> Void) {
        guard byte == UInt8(ascii: "\n") else {
            if line.count == Beat.lineLimit {
                isSkipping = true
                line.removeAll(keepingCapacity: true)
            }
            if !isSkipping { line.append(byte) }
            return
        }
        defer {
            line.removeAll(keepingCapacity: true)
            isSkipping = false
        }
        if isSkipping { return }
        if let beat = Beat(line: line) {
            handle(.beat(beat))
        } else if isCrashNote {
            handle(.memoryRefused)
        }
    }

    private var isCrashNote: Bool {
        line.elementsEqual(CrashNote.line.description.utf8.dropLast())
    }
}
