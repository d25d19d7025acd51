internal import Glibc

/// A datagram socket for the service manager. Sending never waits: what the manager does not take at once is lost, and
/// the next message of its kind makes up for it.
final class NotifySocket: Sendable {
    private let descriptor: Int32
    /// The address's bytes: family, then the path, or a zero byte and the abstract name.
    private let address: [UInt8]

    /// - Parameter name: a path, or `@` and an abstract name; `nil` if it is neither or too long.
    init?(name: String) {
        var path = Array(name.utf8)
        guard path.count > 1, path.count < 108, path[0] == UInt8(ascii: "/") || path[0] == UInt8(ascii: "@") else {
            return nil
        }
        if path[0] == UInt8(ascii: "@") { path[0] = 0 } else { path.append(0) }
        address = unsafe withUnsafeBytes(of: sa_family_t(AF_UNIX)) { unsafe Array($0) } + path
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Returns whether the manager has taken the message.
    @discardableResult
    func send(_ message: String) -> Bool {
        let bytes = Array(message.utf8)
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        var storage = sockaddr_un()
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.copyBytes(from: address) }
        let sent = unsafe withUnsafeBytes(of: &storage) { raw in
            unsafe sendto(
                descriptor, bytes, bytes.count, flags, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(address.count))
        }
        return sent == bytes.count
    }
}
