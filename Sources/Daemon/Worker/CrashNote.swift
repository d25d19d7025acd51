internal import Glibc

/// Tells the supervisor why a crash happened where only the dying process knows: an allocation that the memory limit
/// refused ends in a trap like any bug, but leaves `ENOMEM` behind.
enum CrashNote {
    /// What the handler writes on the heartbeat pipe.
    static let line: StaticString = "{\"fault\":\"out-of-memory\"}\n"

    static let signals = [SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGTRAP, SIGFPE]

    /// Installs the handler; the signal itself still ends the process.
    static func install() {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { signal in
            // Only what is safe in a signal handler: no allocation, no lock.
            if errno == ENOMEM {
                unsafe write(HeartbeatSender.descriptor, CrashNote.line.utf8Start, CrashNote.line.utf8CodeUnitCount)
            }
            // The first delivery has reset the action to the default.
            raise(signal)
        }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | Int32(SA_NODEFER)
        for signal in signals { unsafe sigaction(signal, &action, nil) }
    }
}
