/// Calls that wait for a disk, kept off the cooperative pool.
enum Blocking {
    /// Runs `body` on a thread of its own; in place where the system gives no thread.
    static func run<Result: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let result: Swift.Result<Result, Failure> = await withCheckedContinuation { continuation in
            let started = ServiceThread.start { continuation.resume(returning: Self.capture(body)) }
            if !started { continuation.resume(returning: Self.capture(body)) }
        }
        return try result.get()
    }

    private static func capture<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) -> Swift.Result<Result, Failure> {
        do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
}
