import Glibc
import Logging
import TestSupport
import Testing

@testable import Daemon

@Suite("The daemon's log")
struct ServiceLogTests {
    /// A pipe whose write end blocks when it is full.
    final class Pipe {
        struct NoPipe: Error {}

        let readEnd: Int32
        let writeEnd: Int32

        init() throws {
            var ends: [Int32] = [-1, -1]
            guard unsafe pipe(&ends) == 0 else { throw NoPipe() }
            (readEnd, writeEnd) = (ends[0], ends[1])
            _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
        }

        deinit { close(readEnd) }

        func read() -> String {
            var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
            while true {
                let count = unsafe Glibc.read(readEnd, &chunk, chunk.count)
                if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
                bytes += chunk[..<count]
            }
        }
    }

    @Test("under the journal a line has a priority and no time, and its metadata can be told apart")
    func journalLayout() throws {
        let pipe = try Pipe()
        let sink = ServiceLogHandler.sink(descriptor: pipe.writeEnd, layout: .journal)
        var logger = Logger(label: "rene") { _ in ServiceLogHandler(sink: sink, layout: .journal) }
        logger[metadataKey: "job"] = "7"
        logger.info("converted", metadata: ["model": "a b\"\n=.onnx", "bytes": "12", "empty": ""])
        logger.debug("not shown")
        logger.error("two\nlines\u{1b}[31m")
        logger.critical("end")
        #expect(sink.flush())
        #expect(
            pipe.read() == """
                <6>converted bytes=12 empty="" job=7 model="a b\\"\\n=.onnx"
                <3>two\\nlines\\u{1b}[31m job=7
                <2>end job=7

                """)
    }

    @Test("elsewhere a line begins with time and level")
    func plainLayout() {
        let line = LogLayout.plain.line(.warning, "message", ["k": "v"])
        #expect(line.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ warning message k=v/) != nil, "\(line)")
    }

    @Test("the journal's layout is chosen only when the descriptor is the journal's stream")
    func detection() throws {
        let pipe = try Pipe()
        let identity = try #require(FileIdentity(descriptor: pipe.writeEnd))
        let own = ["JOURNAL_STREAM=\(identity.device):\(identity.inode)"]
        #expect(LogLayout.detect(descriptor: pipe.writeEnd, environment: own) == .journal)
        #expect(LogLayout.detect(descriptor: pipe.writeEnd, environment: ["JOURNAL_STREAM=1:2"]) == .plain)
        #expect(LogLayout.detect(descriptor: pipe.writeEnd, environment: []) == .plain)
    }

    @Test("a reader that does not read makes nobody wait; lines are dropped, counted, and the count is told")
    func blockedReader() throws {
        let pipe = try Pipe()
        let sink = ServiceLogHandler.sink(descriptor: pipe.writeEnd, layout: .journal, capacity: 64 << 10)
        let logger = Logger(label: "rene") { _ in ServiceLogHandler(sink: sink, layout: .journal) }
        let count = 20_000
        let start = SuspendingClock.now
        for index in 0..<count { logger.info("line \(index) with some text to fill the pipe") }
        #expect(start.duration(to: .now) < .seconds(10))
        #expect(sink.dropped > 0)
        #expect(!sink.flush(within: .milliseconds(50)), "the pipe is full")

        var text = ""
        let end = SuspendingClock.now + .seconds(10)
        while !sink.flush(within: .milliseconds(10)), SuspendingClock.now < end { text += pipe.read() }
        text += pipe.read()
        let lines = text.split(separator: "\n")
        let written = lines.filter { $0.hasPrefix("<6>line ") }.count
        let note = "<4>log lines were dropped because nobody read them count="
        let told = lines.filter { $0.hasPrefix(note) }.compactMap { Int($0.dropFirst(note.count)) }.reduce(0, +)
        #expect(told > 0)
        #expect(written + told == count)
        #expect(sink.dropped == 0)
    }

    @Test("a reader that is gone ends nothing")
    func goneReader() throws {
        signal(SIGPIPE, SIG_IGN)
        var pipe: Pipe? = try Pipe()
        let descriptor = try #require(pipe?.writeEnd)
        let sink = LogSink(descriptor: descriptor)
        pipe = nil
        for _ in 0..<100 { sink.append("line") }
        #expect(sink.flush())
    }
}
