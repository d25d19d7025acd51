internal import ConverterKit
internal import JobStore
internal import Logging
internal import ServiceLifecycle
internal import Settings
internal import Synchronization
internal import UnixSignals

/// SIGHUP reads the settings anew; a second SIGTERM or SIGINT ends the workers that the first one lets finish.
struct ControlService: Service {
    let context: DaemonContext
    let dispatcher: Dispatcher
    let inbox: InboxService
    let notifier: ServiceNotifier

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup, .sigterm, .sigint)
        var endings = 0
        for await signal in signals.cancelOnGracefulShutdown() {
            if signal == .sighup {
                reload()
            } else {
                endings += 1
                if endings == 1 {
                    notifier.stopping(status: "letting \(dispatcher.runningCount) conversions finish")
                } else {
                    context.logger.warning("ending the workers at once")
                    dispatcher.stopWorkers()
                }
            }
        }
    }

    private func reload() {
        notifier.reloading()
        let status: String
        do {
            let new = try DaemonContext.readSettings(context.options)
            let changes = context.settings.changes(to: new)
            context.settings = new
            for change in changes {
                context.logger.notice(
                    change.needsRestart ? "changed at the next start" : "changed",
                    metadata: ["setting": "\(change.key)", "from": "\(change.before)", "to": "\(change.after)"])
            }
            let watching: Set = ["stability_delay", "rescan_interval"]
            if changes.contains(where: { watching.contains($0.key) }) { inbox.restart() }
            dispatcher.reload()
            status = "reloaded, \(changes.count) settings changed"
            context.logger.notice("\(status)")
        } catch {
            context.logger.error("the settings stay as they are", metadata: ["error": "\(error)"])
            status = "the new settings are wrong, the old ones hold: \(error)"
        }
        notifier.ready(status: status)
    }
}

/// Once a second: looks for what commands beside the daemon have asked for, wakes jobs whose pause is over, tells the
/// service manager how things are, and notices when nothing is left to do.
struct StatusService: Service {
    let context: DaemonContext
    let dispatcher: Dispatcher
    let notifier: ServiceNotifier

    func run() async throws {
        let tick = min(
            notifier.watchdogInterval ?? .seconds(1), context.options.once ? .milliseconds(100) : .seconds(1))
        await cancelWhenGracefulShutdown {
            var (shown, version) = ("", 0)
            var upkeep = ContinuousClock.now
            while (try? await Task.sleep(for: tick)) != nil {
                dispatcher.turn()
                version = await answerCommands(after: version)
                if ContinuousClock.now >= upkeep {
                    upkeep = .now + .seconds(3600)
                    await forgetOldJobs()
                }
                let seen = await look()
                if seen.text != shown {
                    shown = seen.text
                    notifier.status(shown)
                }
                // The dispatcher's turn comes within a tick, or it hangs.
                if ContinuousClock.now - context.activity.now.lastTurn < .seconds(30) { notifier.watchdog() }
                if context.options.once, seen.isDone { return }
            }
        }
    }

    /// Settles what commands beside the daemon have cancelled. Returns the database's new version.
    private func answerCommands(after version: Int) async -> Int {
        let store = context.store
        let found = await Blocking.run { () -> (version: Int, cancelled: [JobID])? in
            guard let now = try? store.dataVersion() else { return nil }
            guard now != version else { return (now, []) }
            let open = (try? store.recoverAtStart(attemptLimit: .max)) ?? []
            return (now, open.filter { $0.job.state == .cancelled }.map(\.job.id))
        }
        guard let found else { return version }
        for id in found.cancelled where context.activity.now.running[id] == nil { await dispatcher.settle(id) }
        return found.version
    }

    private func forgetOldJobs() async {
        let (store, age) = (context.store, context.settings.history)
        _ = await Blocking.run { try? store.purge(finishedBefore: Timestamp.now.adding(seconds: -age)) }
    }

    private func look() async -> (text: String, isDone: Bool) {
        let store = context.store
        let found = await Blocking.run { () -> (counts: [JobState: Int], stops: [JobID])? in
            guard let counts = try? store.counts(), let stops = try? store.cancellationRequests() else { return nil }
            return (counts, stops)
        }
        guard let found else { return ("the job store does not answer", false) }
        for id in found.stops { dispatcher.stop(id) }
        let activity = context.activity.now
        func count(_ state: JobState) -> Int { found.counts[state] ?? 0 }
        var parts = ["\(count(.queued)) queued"]
        if count(.waiting) > 0 { parts.append("\(count(.waiting)) waiting") }
        if count(.failed) > 0 { parts.append("\(count(.failed)) failed") }
        parts += activity.running.sorted { $0.key < $1.key }.map { _, job in
            "converting \(job.name): \(job.beat.stage) \(Int(job.beat.fraction * 100)) %"
        }
        if !activity.watch.isEmpty { parts.insert(activity.watch, at: 0) }
        let open = [JobState.queued, .waiting, .running, .publishing].reduce(0) { $0 + count($1) }
        let isDone = activity.inboxIsIdle && activity.intakes == 0 && open == 0 && activity.running.isEmpty
        return (parts.joined(separator: ", "), isDone)
    }
}
