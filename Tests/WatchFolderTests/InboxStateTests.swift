import Testing
import WatchFolder

@Suite("Sets of model and companions")
struct InboxStateTests {
    var state = InboxState<Tick>(.init(filter: .init(modelExtensions: ["onnx"])))
    var probe = TableProbe()

    mutating func use(inspects: Bool = false, sets: SetPolicy = .init()) {
        state = InboxState(.init(filter: .init(modelExtensions: ["onnx"]), sets: sets, inspects: inspects))
    }

    mutating func put(_ paths: [BytePath], at seconds: Double, size: Int = 5, version: Int = 1) {
        for path in paths {
            probe.files[path] = TableProbe.file(size, version: version)
            state.apply(.touched(path), probe, at: .at(seconds))
        }
    }

    mutating func take(_ path: BytePath, at seconds: Double) {
        probe.files[path] = nil
        state.apply(.vanished(path), probe, at: .at(seconds))
    }

    mutating func advance(_ seconds: Double) -> [InboxState<Tick>.Output] { state.advance(to: .at(seconds), probe) }

    /// What is ready at an instant: `model+companion,…-missing,…`.
    mutating func ready(_ seconds: Double) -> [String] {
        advance(seconds).compactMap { output in
            guard case .event(.ready(let set)) = output else { return nil }
            var text = set.model.path.description
            if !set.companions.isEmpty { text += "+" + set.companions.map(\.path.description).joined(separator: ",") }
            if !set.missing.isEmpty { text += "-" + set.missing.map(\.description).joined(separator: ",") }
            return text
        }
    }

    mutating func questions(_ seconds: Double) -> [(BytePath, FileStatus)] {
        advance(seconds).compactMap { if case .inspect(let path, let status) = $0 { (path, status) } else { nil } }
    }

    @Test("companions by name go with the model, whole or not at all")
    mutating func byName() {
        put(["a/x.onnx"], at: 0)
        put(["a/x.onnx.data", "a/x.onnx_data", "a/x.data", "a/x.rene.yaml", "a/x.npz", "a/y.data", "x.data"], at: 3)
        #expect(ready(7) == [])
        #expect(ready(8) == ["a/x.onnx+a/x.onnx.data,a/x.onnx_data,a/x.data,a/x.rene.yaml,a/x.npz"])
        #expect(ready(100) == [])
    }

    @Test("a companion that came before the model waits for it")
    mutating func companionFirst() {
        put(["x.onnx.data"], at: 0)
        #expect(ready(50) == [])
        put(["x.onnx"], at: 50)
        #expect(ready(55) == ["x.onnx+x.onnx.data"])
    }

    @Test("a named companion that comes late is waited for, the grace counting from the last arrival")
    mutating func namedLate() throws {
        use(inspects: true)
        put(["m/x.onnx"], at: 0)
        let (path, status) = try #require(questions(5).first)
        state.answer(path, status, ["w1", "sub/w2"], at: .at(6))
        #expect(ready(7) == [])
        put(["m/w1"], at: 60)
        #expect(ready(65) == [])
        put(["m/sub/w2"], at: 120)
        #expect(ready(124.9) == [])
        #expect(ready(125) == ["m/x.onnx+m/w1,m/sub/w2"])
    }

    @Test("a named companion that never comes is missing after the grace")
    mutating func missing() throws {
        use(inspects: true)
        put(["x.onnx", "w1"], at: 0)
        let (path, status) = try #require(questions(5).first)
        state.answer(path, status, ["w1", "w2", "w2", "x.onnx", "../w3", "/etc/passwd", ""], at: .at(6))
        #expect(ready(64.9) == [])
        #expect(ready(65) == ["x.onnx+w1-w2"])
    }

    @Test("a companion that is still being written keeps the set back beyond any grace")
    mutating func slowCompanion() {
        put(["x.onnx"], at: 0)
        for second in 0..<200 {
            put(["x.onnx.data"], at: Double(second), size: second + 1, version: second)
            #expect(ready(Double(second) + 0.5) == [], "second \(second)")
        }
        #expect(ready(204) == ["x.onnx+x.onnx.data"])
    }

    @Test("an answer about a file that has changed meanwhile is asked for again")
    mutating func staleAnswer() throws {
        use(inspects: true)
        put(["x.onnx", "w"], at: 0)
        let first = try #require(questions(5).first)
        put(["x.onnx"], at: 6, size: 6, version: 2)
        state.answer(first.0, first.1, [], at: .at(7))
        #expect(ready(10) == [])
        let second = try #require(questions(11).first)
        #expect(second.1.size == 6)
        state.answer(second.0, second.1, ["w"], at: .at(12))
        #expect(ready(12) == ["x.onnx+w"])
    }

    @Test("no more questions are open at once than allowed, and all are asked in the end")
    mutating func questionLimit() {
        use(inspects: true, sets: .init(inspections: 3))
        put((0..<20).map { BytePath("m\($0).onnx") }, at: 0)
        var told: [String] = []
        var open: [(BytePath, FileStatus)] = []
        for _ in 0..<100 {
            for output in advance(5) {
                if case .inspect(let path, let status) = output { open.append((path, status)) }
                if case .event(.ready(let set)) = output { told.append(set.model.path.description) }
            }
            #expect(open.count <= 3)
            guard let (path, status) = open.popLast() else { break }
            state.answer(path, status, [], at: .at(5))
        }
        #expect(Set(told).count == 20 && told.count == 20, "\(told)")
    }

    @Test("weights that two models name are marked as shared, only after both are known")
    mutating func shared() throws {
        use(inspects: true)
        put(["a.onnx", "b.onnx", "w"], at: 0)
        let asked = questions(5)
        #expect(asked.map(\.0).sorted() == ["a.onnx", "b.onnx"])
        let byPath = Dictionary(uniqueKeysWithValues: asked)
        state.answer("a.onnx", try #require(byPath["a.onnx"]), ["w"], at: .at(5))
        #expect(ready(5) == [])
        state.answer("b.onnx", try #require(byPath["b.onnx"]), ["w"], at: .at(6))
        let sets = advance(6).compactMap { if case .event(.ready(let set)) = $0 { set } else { nil } }
        #expect(sets.map(\.model.path).sorted() == ["a.onnx", "b.onnx"])
        for set in sets {
            let other: BytePath = set.model.path == "a.onnx" ? "b.onnx" : "a.onnx"
            #expect(set.companions.map(\.sharedWith) == [[other]], "\(set.model.path)")
        }
    }

    @Test("a model alone with its weights in a folder of many shares nothing")
    mutating func unshared() throws {
        use(inspects: true, sets: .init(inspections: 10))
        put(["a.onnx", "b.onnx", "w"], at: 0)
        for (path, status) in questions(5) {
            state.answer(path, status, path == "a.onnx" ? ["w"] : [], at: .at(5))
        }
        let sets = advance(5).compactMap { if case .event(.ready(let set)) = $0 { set } else { nil } }
        #expect(sets.count == 2)
        #expect(sets.flatMap(\.companions).map(\.sharedWith) == [[]])
    }

    @Test("a set is told again after retry, at its time, and not without")
    mutating func retry() {
        put(["x.onnx", "x.npz"], at: 0)
        #expect(ready(5) == ["x.onnx+x.npz"])
        #expect(ready(400) == [])
        state.retry(["x.npz", "x.onnx"], probe, after: .seconds(30), at: .at(400))
        #expect(ready(429) == [])
        #expect(ready(430) == ["x.onnx+x.npz"])
        take("x.npz", at: 431)
        state.retry(["x.npz", "x.onnx"], probe, after: .zero, at: .at(432))
        #expect(ready(432) == ["x.onnx"])
    }

    @Test("a model that changes while it is in hand is told again with its new content")
    mutating func changedInHand() {
        put(["x.onnx"], at: 0)
        #expect(ready(5) == ["x.onnx"])
        put(["x.onnx"], at: 6, size: 9, version: 2)
        #expect(ready(11) == ["x.onnx"])
        take("x.onnx", at: 12)
        put(["x.onnx"], at: 13, version: 3)
        #expect(ready(18) == ["x.onnx"])
    }

    @Test("files that are left in the inbox are told again only when they change")
    mutating func left() {
        put(["x.onnx"], at: 0)
        #expect(ready(5) == ["x.onnx"])
        state.leave([("x.onnx", TableProbe.file(5))])
        take("x.onnx", at: 6)
        put(["x.onnx"], at: 7)
        #expect(ready(100) == [])
        put(["x.onnx"], at: 101, size: 6, version: 2)
        #expect(ready(106) == ["x.onnx"])
    }

    @Test("files that are no models, belong to none, or cannot be read are reported once")
    mutating func reports() {
        probe.files["f.onnx"] = TableProbe.file(0, kind: .fifo)
        probe.files["readme.txt"] = TableProbe.file(10)
        probe.files["secret.onnx"] = TableProbe.file(10)
        probe.files["d.onnx"] = TableProbe.file(10, kind: .folder)
        probe.files["fifo"] = TableProbe.file(0, kind: .fifo)
        probe.access["secret.onnx"] = .denied(13)
        var told: [InboxState<Tick>.Output] = []
        for second in stride(from: 0, to: 3000.0, by: 10) {
            for path in probe.files.keys { state.apply(.found(path), probe, at: .at(second)) }
            state.apply(.scanned, probe, at: .at(second))
            told += advance(second)
        }
        let expected: Set<InboxState<Tick>.Output> = [
            .event(.ignored("f.onnx", .notRegular(.fifo))), .event(.ignored("d.onnx", .notRegular(.folder))),
            .event(.ignored("readme.txt", .noModel)), .event(.ignored("secret.onnx", .unreadable(13))),
        ]
        #expect(Set(told.filter { $0 != .event(.idle) }) == expected)
        #expect(told.filter { $0 != .event(.idle) }.count == 4, "\(told)")
        probe.access = [:]
        put(["secret.onnx"], at: 3000, size: 11, version: 2)
        #expect(ready(3005) == ["secret.onnx"])
    }

    @Test("idle is told after a scan when nothing waits, and again after more work")
    mutating func idle() {
        put(["x.onnx"], at: 0)
        #expect(!advance(0).contains(.event(.idle)))
        state.apply(.scanned, probe, at: .at(0))
        #expect(!advance(1).contains(.event(.idle)))
        #expect(advance(5).last == .event(.idle))
        #expect(advance(6) == [])
        put(["y.onnx"], at: 7)
        #expect(!advance(8).contains(.event(.idle)))
        #expect(advance(12).last == .event(.idle))
    }

    @Test("a folder that goes takes its files along, and they are told of when it is back")
    mutating func folderGone() {
        put(["a/x.onnx", "b/y.onnx"], at: 0)
        probe.files["a/x.onnx"] = nil
        state.apply(.folderVanished("a"), probe, at: .at(1))
        #expect(ready(5) == ["b/y.onnx"])
        probe.files["a/x.onnx"] = TableProbe.file(5)
        state.apply(.found("a/x.onnx"), probe, at: .at(6))
        #expect(ready(11) == ["a/x.onnx"])
    }

    @Test(
        "any order of arrival, change, loss and retry tells each final file at least once after its last change",
        arguments: 1...20 as ClosedRange<UInt64>)
    mutating func randomOrder(_ seed: UInt64) {
        use(inspects: seed % 2 == 0)
        var random = seed
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        let names: [BytePath] = ["a.onnx", "b.onnx", "a.onnx.data", "w", "s/c.onnx", "s/w"]
        var told: [BytePath: FileStatus] = [:]
        func hear(_ outputs: [InboxState<Tick>.Output], _ state: inout InboxState<Tick>, _ time: Double) {
            for output in outputs {
                switch output {
                case .event(.ready(let set)): told[set.model.path] = set.model.status
                case .inspect(let path, let status):
                    state.answer(path, status, next(2) == 0 ? ["w"] : [], at: .at(time))
                default: break
                }
            }
        }
        var time = 0.0
        for step in 1...300 {
            time += Double(next(40)) / 10
            let path = names[next(names.count)]
            switch next(5) {
            case 0, 1: put([path], at: time, size: 1 + next(3), version: step)
            case 2: take(path, at: time)
            case 3: state.retry([path], probe, after: .seconds(next(5)), at: .at(time))
            default: break
            }
            hear(advance(time), &state, time)
        }
        for _ in 0..<200 {
            time += 1
            hear(advance(time), &state, time)
        }
        for (path, status) in probe.files where path.name.description.hasSuffix(".onnx") {
            #expect(told[path] == status, "seed \(seed), \(path)")
        }
    }
}
