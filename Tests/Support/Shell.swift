internal import Glibc

/// Commands run by tests.
public enum Shell {
    /// Standard output and exit status of a shell command line.
    public static func run(_ command: String) -> (output: String, status: Int32) {
        guard let stream = unsafe popen(command, "re") else { return ("", -1) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, stream)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        let status = unsafe pclose(stream)
        return (String(decoding: bytes, as: UTF8.self), status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f))
    }
}

/// The checkout.
public enum Checkout {
    /// Its top folder.
    public static let path: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()
}
