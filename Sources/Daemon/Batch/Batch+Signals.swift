internal import ConverterKit
internal import UnixSignals

extension Batch {
    /// As `run`, ended by SIGTERM or SIGINT: the workers are ended and what they had not published is removed, so that the
    /// output folder holds whole results only. Throws `batch.stopped` then.
    public func runUntilSignal() async throws -> [BatchEntry] {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return try await withThrowingTaskGroup(of: [BatchEntry]?.self) { group in
            group.addTask { try await self.run() }
            group.addTask {
                for await _ in signals { return nil }
                // Cancelled, since the run has ended.
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            while (try? await group.next()) != nil {}
            throw ConversionError(
                "batch.stopped", .temporary, "stopped by a signal",
                remedy: "Run the same command again: it goes on where it was.")
        }
    }
}
