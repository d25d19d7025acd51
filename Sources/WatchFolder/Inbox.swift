/// A folder into which people put models, watched: it tells of each set of model and companions once, when all of it is
/// there and whole. It changes nothing in the folder.
///
///     let inbox = try Inbox(layout.inbox, options: .init(filter: .init(modelExtensions: ["onnx"]))) { model in
///         await names(of: model)                    // which files the model says it needs
///     }
///     await inbox.run { event in
///         if case .ready(let set) = event { … try claimer.claim(set, job: id) … }
///     }
///
/// A set that was told of stays in hand until its files have gone (claimed) or have changed. After each claim that
/// failed the owner calls `retry`, whatever the error: with a pause for `retryLater`, without one for `outdated`.
public final class Inbox: Sendable {
    /// Which files a model names, relative to its folder. Gets the model's absolute path; runs in a task of `run`.
    /// Names of files that the model can do without are left out; whoever cannot tell returns none.
    public typealias Inspection = @Sendable (_ model: BytePath) async -> [BytePath]

    /// The absolute path of the folder.
    public let folder: BytePath
    private let inspection: Inspection?
    private let thread: InboxThread
    private let items: AsyncStream<InboxState<InboxThread.Instant>.Output>

    /// Starts watching. The folder need not be there yet. Throws when the system gives no pipe or thread.
    public convenience init(
        _ folder: BytePath, options: InboxOptions, inspection: Inspection? = nil
    ) throws(WatchError) {
        try self.init(folder, options: options, inspection: inspection) { () throws(WatchError) -> any FolderNotifier in
            try InotifyNotifier()
        }
    }

    package init(
        _ folder: BytePath, options: InboxOptions, inspection: Inspection?,
        connect: @escaping @Sendable () throws(WatchError) -> any FolderNotifier
    ) throws(WatchError) {
        self.folder = folder
        self.inspection = inspection
        let (stream, continuation) = AsyncStream.makeStream(of: InboxState<InboxThread.Instant>.Output.self)
        items = stream
        thread = try InboxThread(
            root: folder, options: options, inspects: inspection != nil, connect: connect, output: continuation)
        try thread.start()
    }

    deinit { thread.send(.stop) }

    /// Tells of events until `stop` is called or the task is cancelled; to be called once. Events wait while `body`
    /// runs; their number is bounded by that of the files in the folder.
    public func run<Failure: Error>(
        _ body: (InboxEvent) async throws(Failure) -> Void
    ) async throws(Failure) {
        var failure: Failure?
        await withDiscardingTaskGroup { group in
            for await item in items {
                switch item {
                case .event(let event):
                    do throws(Failure) {
                        try await body(event)
                    } catch {
                        failure = error
                    }
                case .inspect(let model, let status):
                    guard let inspection else { continue }
                    group.addTask { [folder, thread] in
                        thread.send(.answer(model, status, await inspection(folder.appending(model))))
                    }
                }
                if failure != nil { break }
            }
            group.cancelAll()
        }
        stop()
        if let failure { throw failure }
    }

    /// Scans the folder now.
    public func rescan() { thread.send(.rescan) }

    /// Tells of the set again after a pause, if it is still there.
    public func retry(_ set: ModelSet, after pause: Duration) { thread.send(.retry(set.members.map(\.path), pause)) }

    /// To be called before files are put back into the inbox for good: they are not told of again until they change.
    public func leave(_ members: [ModelSet.Member]) {
        thread.send(.leave(members.map { ($0.path, $0.status) }))
    }

    /// Ends the watch: the thread closes what it holds, and `run` returns.
    public func stop() { thread.send(.stop) }
}
