internal import Dispatch
internal import Synchronization

extension BLAS {
    /// Calls `body` for each index below `count`, several at once, each with single-threaded BLAS, and throws the error
    /// of the smallest index that has one. For many small matrices this beats BLAS's own threads, which gain little on
    /// the matrix-vector half of an eigenproblem. `body` must not depend on the order of the calls.
    ///
    /// `threads` is 1 while it runs, and as before once the last of overlapping calls is done. Call it from outside the
    /// cooperative pool.
    public static func forEachConcurrently(
        _ count: Int, _ body: @Sendable (Int) throws -> Void
    ) throws {
        prepare()
        let width = claimSingleThread()
        defer { releaseSingleThread() }
        if width == 1 || count <= 1 {
            for index in 0..<count { try body(index) }
            return
        }
        let next = Atomic<Int>(0)
        let failure = Mutex<(index: Int, error: any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: min(width, count)) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                if index >= count { return }
                do {
                    try body(index)
                } catch {
                    failure.withLock { first in
                        if first.map({ $0.index > index }) ?? true { first = (index, error) }
                    }
                }
            }
        }
        if let error = failure.withLock({ $0?.error }) { throw error }
    }

    /// Calls `body` while BLAS has no threads of its own, for callers that bring theirs. `threads` is as before once the
    /// last of overlapping calls is done.
    public static func withSingleThread<Result>(_ body: () throws -> Result) rethrows -> Result {
        prepare()
        _ = claimSingleThread()
        defer { releaseSingleThread() }
        return try body()
    }

    /// How many calls want single-threaded BLAS, and the number of threads before the first.
    private static let claims = Mutex<(count: Int, width: Int)>((0, 1))

    private static func claimSingleThread() -> Int {
        claims.withLock { claims in
            if claims.count == 0 {
                claims.width = threads
                threads = 1
            }
            claims.count += 1
            return claims.width
        }
    }

    private static func releaseSingleThread() {
        claims.withLock { claims in
            claims.count -= 1
            if claims.count == 0 { threads = claims.width }
        }
    }
}
