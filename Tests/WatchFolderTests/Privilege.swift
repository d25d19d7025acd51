import Glibc
import TestSupport

/// What this process may do, for tests that need the rights of root.
enum Privilege {
    /// Whether file systems can be mounted and files made immutable; not in a plain container.
    static let mayMount = geteuid() == 0 && Shell.run("unshare --mount true 2>/dev/null").status == 0
}
