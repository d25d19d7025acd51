internal import Conversion
internal import Glibc
internal import Synchronization

/// Standard output for data, standard error for everything else.
enum Terminal {
    static func print(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(STDOUT_FILENO, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            if count > 0 { done += count } else if errno != EINTR { return }
        }
    }

    static func print(_ text: String) { print(Array((text + "\n").utf8)) }

    static func narrate(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = unsafe line.withUnsafeBytes { buffer in unsafe write(STDERR_FILENO, buffer.baseAddress, buffer.count) }
    }

    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

/// Shows progress on standard error: one line that is rewritten, on a terminal only.
final class ProgressLine: Sendable {
    private let shown = Mutex<(stage: Progress.Stage?, percent: Int)>((nil, -1))
    private let enabled: Bool

    init(quiet: Bool) { enabled = !quiet && Terminal.errorIsTerminal }

    func update(_ progress: Progress) {
        guard enabled else { return }
        let percent = Int(progress.fraction * 100)
        let changed = shown.withLock { shown in
            // Threads report out of order; a bar that runs backwards says nothing.
            let changed = shown.stage != progress.stage || percent > shown.percent
            if changed { shown = (progress.stage, percent) }
            return changed
        }
        if changed { draw("\(progress.stage.rawValue) \(percent) % \(progress.detail.prefix(60))") }
    }

    func finish() {
        if enabled { draw("") }
    }

    private func draw(_ text: String) {
        let line = Array("\r\u{1b}[K\(text)".utf8)
        _ = unsafe line.withUnsafeBytes { buffer in unsafe write(STDERR_FILENO, buffer.baseAddress, buffer.count) }
    }
}
