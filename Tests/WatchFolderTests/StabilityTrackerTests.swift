import Testing
import WatchFolder

@Suite("Stability")
struct StabilityTrackerTests {
    var tracker = StabilityTracker<Tick>(policy: .init())
    var probe = TableProbe()

    mutating func put(_ path: BytePath, _ status: FileStatus?, at seconds: Double, isEvent: Bool = true)
        -> StabilityTracker<Tick>.Change?
    {
        probe.files[path] = status
        return tracker.note(path, status, isEvent: isEvent, at: .at(seconds))
    }

    mutating func advance(_ seconds: Double) -> [StabilityTracker<Tick>.Change] {
        tracker.advance(to: .at(seconds), probe)
    }

    @Test("a file is stable after the delay, at the instant that was announced, and once")
    mutating func settles() {
        #expect(put("x", TableProbe.file(3), at: 1) == nil)
        #expect(tracker.nextDeadline == .at(6))
        #expect(advance(5.999) == [])
        #expect(advance(6) == [.stable("x")])
        #expect(advance(1000) == [])
        #expect(tracker.nextDeadline == nil)
    }

    @Test("each event makes it wait anew, a scan that finds it unchanged does not")
    mutating func events() {
        _ = put("x", TableProbe.file(3), at: 0)
        _ = put("x", TableProbe.file(3), at: 4)
        #expect(advance(5) == [])
        _ = put("x", TableProbe.file(3), at: 8, isEvent: false)
        #expect(advance(9) == [.stable("x")])
    }

    @Test("growth without events is seen when it is looked at")
    mutating func silentGrowth() {
        _ = put("x", TableProbe.file(3), at: 0)
        for second in 1...30 {
            probe.files["x"] = TableProbe.file(3 + second, version: second)
            #expect(advance(Double(second)) == [], "second \(second)")
        }
        #expect(advance(34.9) == [])
        #expect(advance(40) == [.stable("x")])
    }

    @Test("same size and time but another inode is another file")
    mutating func replaced() {
        _ = put("x", TableProbe.file(3, inode: 1), at: 0)
        probe.files["x"] = TableProbe.file(3, inode: 2)
        #expect(advance(5) == [])
        #expect(advance(10) == [.stable("x")])
        #expect(tracker.status("x")?.inode == 2)
    }

    @Test("an empty file waits for its grace, and is taken at once when filled")
    mutating func empty() {
        _ = put("x", TableProbe.file(0), at: 0)
        _ = put("y", TableProbe.file(0), at: 0)
        for second in stride(from: 5.0, through: 20, by: 1) { #expect(advance(second) == [], "second \(second)") }
        _ = put("y", TableProbe.file(9, version: 2), at: 20)
        #expect(advance(25) == [.stable("y")])
        #expect(advance(59) == [])
        #expect(advance(60) == [.stable("x")])
    }

    @Test("a file that a program holds open waits until it is closed, up to a limit")
    mutating func held() {
        _ = put("x", TableProbe.file(3), at: 0)
        _ = put("y", TableProbe.file(3), at: 0)
        probe.access = ["x": .held, "y": .held]
        for second in 1...100 { #expect(advance(Double(second)) == []) }
        probe.access["x"] = .free
        _ = put("x", TableProbe.file(3), at: 101)
        #expect(advance(106) == [.stable("x")])
        #expect(!tracker.isHeldOpen("x"))
        #expect(advance(599) == [])
        #expect(advance(605) == [.stable("y")])
        #expect(tracker.isHeldOpen("y"))
    }

    @Test("a file that cannot be read is reported once and tried ever more rarely")
    mutating func denied() {
        _ = put("x", TableProbe.file(3), at: 0)
        probe.access["x"] = .denied(13)
        #expect(advance(5) == [.denied("x", 13)])
        #expect(tracker.waitingCount == 0)
        var pauses: [Double] = []
        var last = 5.0
        while let next = tracker.nextDeadline, pauses.count < 10 {
            let seconds = Double(Tick().duration(to: next).components.seconds)
            pauses.append(seconds - last)
            last = seconds
            #expect(advance(seconds) == [])
        }
        #expect(pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300])
        probe.access["x"] = .free
        _ = put("x", TableProbe.file(3, version: 2), at: last)
        #expect(advance(last + 5) == [.stable("x")])
    }

    @Test("a file that is deleted or renamed while it waits is forgotten, and its name can be used again")
    mutating func gone() {
        _ = put("x", TableProbe.file(3), at: 0)
        #expect(put("x", nil, at: 2) == .gone("x"))
        #expect(advance(100) == [])
        _ = put("x", TableProbe.file(3), at: 100)
        #expect(advance(105) == [.stable("x")])
        tracker.take("x")
        #expect(put("x", nil, at: 106) == .gone("x"))
        _ = put("x", TableProbe.file(3), at: 107)
        #expect(advance(112) == [.stable("x")])
        _ = put("y", TableProbe.file(1), at: 112)
        probe.files["y"] = nil
        #expect(advance(117) == [.gone("y")])
        #expect(tracker.waitingCount == 0)
    }

    @Test("a file in hand that changes becomes unsettled and stable again; one that does not stays in hand")
    mutating func inHand() {
        _ = put("x", TableProbe.file(3), at: 0)
        #expect(advance(5) == [.stable("x")])
        tracker.take("x")
        #expect(put("x", TableProbe.file(3), at: 6) == nil)
        #expect(advance(50) == [])
        #expect(put("x", TableProbe.file(4, version: 2), at: 50) == .unsettled("x"))
        #expect(advance(55) == [.stable("x")])
    }

    @Test(
        "what is not a regular file is told of at once",
        arguments: [FileStatus.Kind.fifo, .link, .socket, .device, .folder])
    mutating func irregular(_ kind: FileStatus.Kind) {
        _ = put("x", TableProbe.file(3, kind: kind), at: 0)
        #expect(advance(0) == [.irregular("x", kind)])
        #expect(tracker.waitingCount == 0)
    }

    @Test("deadlines come in order for any order of arrival", arguments: [1, 2, 3] as [UInt64])
    mutating func order(_ seed: UInt64) {
        var random = seed
        var expected: [(Double, BytePath)] = []
        for index in 0..<500 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let time = Double(random >> 40) / 1000
            let path = BytePath("f\(index)")
            _ = put(path, TableProbe.file(1), at: time)
            expected.append((time, path))
        }
        let changes = advance(1e6)
        let paths = changes.compactMap { if case .stable(let path) = $0 { path } else { nil } }
        #expect(paths.count == 500, "seed \(seed)")
        let times = Dictionary(uniqueKeysWithValues: expected.map { ($0.1, $0.0) })
        #expect(paths.compactMap { times[$0] } == expected.map(\.0).sorted(), "seed \(seed)")
    }
}
