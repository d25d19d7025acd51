internal import ConverterKit
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// Runs an exporter's checker in a process of its own, with a deadline: the checker is somebody else's code, and a crash
/// or a hang of it says nothing good of the file but must not end the conversion in a hang.
struct OutputChecker: Sendable {
    enum Verdict: String, Sendable {
        case passed
        case notApplicable = "not-applicable"
        case unavailable
    }

    private static let deadline: Duration = .seconds(300)

    /// Where the helper program may be, first hit first.
    let folders: [String]

    /// Checks a written model. When it is refused, the source is asked about too: a model that was unsound before is the
    /// input's fault (`input.check-failed`), and one that became unsound is ours (`output.check-failed`).
    func check(_ command: CheckCommand?, source: CheckCommand?) async throws -> Verdict {
        do {
            return try await check(command)
        } catch let error as ConversionError where "output" ~= error {
            guard let source, let reason = try? await refusal(of: source) else { throw error }
            throw ConversionError(
                "input.check-failed", .badInput, "the format's own checker refuses the source model",
                remedy: "Export the model again.", cause: reason)
        }
    }

    /// Why the checker refuses a file, or `nil` when it does not.
    private func refusal(of command: CheckCommand) async throws -> String? {
        do {
            _ = try await check(command)
            return nil
        } catch let error as ConversionError where "output" ~= error {
            return error.cause ?? error.message
        }
    }

    private func check(_ command: CheckCommand?) async throws -> Verdict {
        guard let command else { return .notApplicable }
        let places = folders.map { $0 + "/" + command.program }
        guard let program = places.first(where: { unsafe access($0, X_OK) == 0 }) else { return .unavailable }
        let outcome = try await withThrowingTaskGroup(of: (status: TerminationStatus, text: String)?.self) { group in
            group.addTask {
                let result = try await run(
                    .path(FilePath(program)), arguments: Arguments(command.arguments), output: .string(limit: 1 << 16))
                return (result.terminationStatus, result.standardOutput)
            }
            group.addTask {
                try await Task.sleep(for: Self.deadline)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        switch outcome?.status {
        case .exited(0): return .passed
        case .exited(2): return .notApplicable
        case .exited(1):
            throw ConversionError(
                "output.check-failed", .internal, "the format's own checker refuses the written model",
                remedy: "Report this with the model; the source is as it was.", cause: outcome?.text)
        case .none:
            throw ConversionError(
                "output.check-timeout", .internal, "the format's checker did not end within \(Self.deadline)",
                remedy: "Report this with the model; the source is as it was.")
        case .some(let status):
            throw ConversionError(
                "output.check-crashed", .internal, "the format's checker ended with \(status) on the written model",
                remedy: "Report this with the model; the source is as it was.", cause: outcome?.text)
        }
    }
}
