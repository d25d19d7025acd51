import Glibc
import TestSupport

/// A running `rene`, the real one.
final class Program {
    static let path = BuildFolder.path + "/rene"

    let process: pid_t
    let log: String
    private var status: Int32?

    struct Failure: Error {
        var what: String
    }

    /// Starts it with standard output and error appended to `log`.
    init(_ arguments: [String], log: String, environment: [String] = []) throws {
        self.log = log
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var pointers = ([Self.path] + arguments).map { strdup($0) } + [nil]
        var variables = (["PATH=/usr/bin:/bin"] + environment).map { strdup($0) } + [nil]
        defer { for pointer in pointers + variables { free(pointer) } }
        var process = pid_t()
        let number = posix_spawn(&process, Self.path, &actions, nil, &pointers, &variables)
        guard number == 0 else { throw Failure(what: "posix_spawn \(Self.path): \(number)") }
        self.process = process
    }

    deinit {
        if status == nil {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
    }

    func signal(_ number: Int32) { kill(process, number) }

    /// Waits for the end; returns the exit status, or the signal as a negative number; `nil` when the time is over.
    @discardableResult
    func wait(seconds: Double = 60) -> Int32? {
        if let status { return status }
        var word: Int32 = 0
        let ended = Wait.until(seconds: seconds) { waitpid(process, &word, WNOHANG) == process }
        guard ended else { return nil }
        status = word & 0x7f == 0 ? word >> 8 & 0xff : -(word & 0x7f)
        return status
    }

    /// Runs it to its end; returns what it printed and its status.
    static func run(_ arguments: String) -> (output: String, status: Int32) {
        Shell.run("'\(path)' \(arguments) 2>&1")
    }
}

enum Wait {
    /// Asks every 10 ms; returns whether the answer was yes in time.
    static func until(seconds: Double = 90, _ condition: () throws -> Bool) rethrows -> Bool {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if try condition() { return true }
            usleep(10_000)
        }
        return try condition()
    }
}
