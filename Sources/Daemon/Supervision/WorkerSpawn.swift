internal import CLinux
internal import ConverterKit
internal import Glibc

/// A worker that has been started: leader of a process group of its own, with the write end of a pipe as descriptor 3.
///
/// `posix_spawn` and not a library, since those at hand pass no descriptor beyond the third.
struct SpawnedWorker {
    let process: pid_t
    /// Readable when the process has ended.
    let processDescriptor: Int32
    /// Read end of the heartbeat pipe.
    let heartbeat: Int32

    /// The thread that calls this must live until the worker is reaped: the signal a worker asks for at its parent's
    /// death is sent when that thread ends.
    static func start(_ command: WorkerCommand, folder: JobFolder) throws(ConversionError) -> SpawnedWorker {
        var ends: [Int32] = [-1, -1]
        guard unsafe rene_pipe(&ends) == 0 else { throw failure(command, errno) }
        let (readEnd, writeEnd) = (ends[0], raised(ends[1]))
        let log = raised(
            unsafe open(folder.logFile, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600))
        let null = raised(unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        defer { for descriptor in [writeEnd, log, null] where descriptor >= 0 { close(descriptor) } }
        guard writeEnd >= 0, log >= 0, null >= 0 else {
            let number = errno
            close(readEnd)
            throw failure(command, number)
        }
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)

        let (number, process) = spawn(command, input: null, log: log, heartbeat: writeEnd)
        guard number == 0 else {
            close(readEnd)
            throw failure(command, number)
        }
        let descriptor = rene_pidfd_open(process)
        guard descriptor >= 0 else {
            let number = errno
            close(readEnd)
            kill(-process, SIGKILL)
            waitpid(process, nil, 0)
            throw failure(command, number)
        }
        return SpawnedWorker(process: process, processDescriptor: descriptor, heartbeat: readEnd)
    }

    /// The descriptor moved above those that the worker is given, so that setting up one does not close another.
    private static func raised(_ descriptor: Int32) -> Int32 {
        guard descriptor >= 0 else { return -1 }
        let number = fcntl(descriptor, F_DUPFD_CLOEXEC, 10)
        close(descriptor)
        return number
    }

    private static func spawn(
        _ command: WorkerCommand, input: Int32, log: Int32, heartbeat: Int32
    ) -> (status: Int32, process: pid_t) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (source, target) in [(input, 0), (log, 1), (log, 2), (heartbeat, HeartbeatSender.descriptor)] {
            unsafe posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        unsafe rene_spawn_close_from(&actions, HeartbeatSender.descriptor + 1)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        unsafe sigfillset(&all)
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var process = pid_t()
        let status = unsafe withCStrings(["rene"] + command.arguments) { arguments in
            unsafe withCStrings(command.environment) { environment in
                unsafe posix_spawn(
                    &process, command.executable, &actions, &attributes, arguments, environment)
            }
        }
        return (status, process)
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        return unsafe body(&pointers)
    }

    private static func failure(_ command: WorkerCommand, _ number: Int32) -> ConversionError {
        ConversionError(
            "worker.cannot-start", .temporary, "the worker \(command.executable) cannot be started",
            remedy: "Check the limits of processes and open files of the service, and that the program is installed.",
            cause: unsafe String(cString: strerror(number)))
    }
}
