internal import Glibc

/// Wakes a thread that waits on descriptors.
final class WakePipe: Sendable {
    let reader: Int32
    private let writer: Int32

    init() throws(WatchError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .system(errno, "make a pipe", "") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        reader = ends[0]
        writer = ends[1]
    }

    deinit {
        close(reader)
        close(writer)
    }

    /// Never waits: when the pipe is full the thread wakes anyhow.
    func wake() {
        var byte: UInt8 = 1
        _ = unsafe write(writer, &byte, 1)
    }

    func drain() {
        var chunk = [UInt8](repeating: 0, count: 256)
        while unsafe read(reader, &chunk, chunk.count) > 0 {}
    }

    /// Waits until woken, until `other` (−1: nothing) is readable, or for `milliseconds` (−1: for ever).
    func wait(or other: Int32, milliseconds: Int32) {
        var watched = [pollfd(fd: reader, events: Int16(POLLIN), revents: 0)]
        if other >= 0 { watched.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
        _ = unsafe poll(&watched, nfds_t(watched.count), milliseconds)
        drain()
    }
}
