internal import CLinux

/// What the program runs on.
enum Machine {
    /// Cores that this process may run on.
    static var cores: Int { max(1, Int(rene_available_cores())) }
}
