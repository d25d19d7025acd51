internal import ConverterKit
internal import Glibc

/// The process's peak memory.
enum Memory {
    /// Sets the peak back to what is in use; returns that.
    static func resetPeak() -> Int {
        let descriptor = unsafe open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        if descriptor >= 0 {
            _ = unsafe write(descriptor, "5", 1)
            close(descriptor)
        }
        return peak()
    }

    /// Peak resident bytes.
    static func peak() -> Int {
        guard let file = try? OpenFile(path: "/proc/self/status") else { return 0 }
        var text = [UInt8](repeating: 0, count: 8192)
        let count = unsafe text.withUnsafeMutableBytes { unsafe pread(file.descriptor, $0.baseAddress, $0.count, 0) }
        for line in String(decoding: text.prefix(max(count, 0)), as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("VmHWM:") {
            return (Int(line.filter(\.isNumber)) ?? 0) << 10
        }
        return 0
    }
}
