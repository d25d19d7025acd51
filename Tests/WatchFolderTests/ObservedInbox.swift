import Synchronization
import TestSupport
import WatchFolder

/// A real inbox in a temporary root whose events are collected.
final class ObservedInbox: Sendable {
    let folder: TemporaryFolder
    let layout: WatchLayout
    let inbox: Inbox
    private let events = Mutex<[InboxEvent]>([])
    private let hasEnded = Mutex(false)
    private let task: Mutex<Task<Void, Never>?> = Mutex(nil)

    static let quick = InboxOptions(
        filter: .init(modelExtensions: ["onnx"]),
        stability: .init(delay: .milliseconds(60), emptyGrace: .milliseconds(400), firstRetry: .milliseconds(100)),
        sets: .init(companionGrace: .milliseconds(500), orphanGrace: .milliseconds(500)),
        watch: .init(pollInterval: .milliseconds(100), checkInterval: .milliseconds(50)))

    init(
        _ options: InboxOptions = quick, inspection: Inbox.Inspection? = nil,
        connect: (@Sendable () throws(WatchError) -> any FolderNotifier)? = nil
    ) throws {
        folder = try TemporaryFolder()
        layout = WatchLayout(root: BytePath(folder.path))
        try layout.prepare()
        inbox =
            if let connect {
                try Inbox(layout.inbox, options: options, inspection: inspection, connect: connect)
            } else {
                try Inbox(layout.inbox, options: options, inspection: inspection)
            }
    }

    /// Starts collecting; `claiming`: each set that is ready is claimed at once, under numbered jobs.
    func start(claiming: Bool = false) {
        let claimer = Claimer(layout: layout)
        let running = Task { [inbox] in
            var number = 0
            await inbox.run { event in
                if claiming, case .ready(let set) = event {
                    number += 1
                    do {
                        _ = try claimer.claim(set, job: "job\(number)")
                    } catch {
                        inbox.retry(set, after: .milliseconds(10))
                        return
                    }
                }
                self.events.withLock { $0.append(event) }
            }
            self.hasEnded.withLock { $0 = true }
        }
        task.withLock { $0 = running }
    }

    var all: [InboxEvent] { events.withLock { $0 } }
    var ended: Bool { hasEnded.withLock { $0 } }

    /// The sets that were ready so far.
    var sets: [ModelSet] {
        all.compactMap { if case .ready(let set) = $0 { set } else { nil } }
    }

    var models: [String] { sets.map(\.model.path.description) }

    /// Waits until `condition` holds; false when it does not within the time.
    func wait(seconds: Double = 60, until condition: (ObservedInbox) -> Bool) async -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(seconds))
        while clock.now < deadline {
            if condition(self) { return true }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return condition(self)
    }

    /// Waits until the first scan is complete, so that what a test does next comes as events.
    func waitForFirstScan() async -> Bool {
        await wait { $0.all.contains(.idle) }
    }

    func stop() async -> Bool {
        inbox.stop()
        return await wait { $0.ended }
    }

    func shell(_ command: String) -> Int32 { Shell.run("cd '\(folder.path)' && \(command)").status }
}
