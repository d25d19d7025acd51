internal import Glibc

/// The service manager's end of the notification socket.
public final class NotificationSocket {
    private let descriptor: Int32

    /// - Parameter name: a path, or `@` and an abstract name.
    public init?(name: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        let offset = MemoryLayout<sa_family_t>.size
        unsafe withUnsafeMutableBytes(of: &address) { buffer in
            for (index, byte) in bytes.enumerated() { unsafe buffer[offset + index] = byte }
        }
        let length = socklen_t(offset + bytes.count + (bytes.first == 0 ? 0 : 1))
        let status = unsafe withUnsafeBytes(of: &address) { buffer in
            unsafe bind(descriptor, buffer.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
        guard status == 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// The next message; `nil` if there is none.
    public func next() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
