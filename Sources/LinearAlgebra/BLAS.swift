internal import COpenBLAS
internal import Glibc

/// The BLAS library behind this module: which kernel runs, with how many threads.
public enum BLAS {
    /// Chooses the kernel, once in the process; later calls cost nothing. Every routine of this module calls it first.
    ///
    /// OpenBLAS 0.3.21 takes SSE3 kernels on processors newer than itself (a fifth of the speed). Where the processor
    /// can do more than the kernel it has taken, the kernel is changed and tried against plain loops; if it computes
    /// wrongly, the first one comes back. A kernel that the user has named in OPENBLAS_CORETYPE stays.
    public static func prepare() { _ = prepared }

    private static let prepared: Void = {
        let set = unsafe getenv("OPENBLAS_CORETYPE") != nil
        let current = corename
        guard
            let better = KernelChoice.better(
                than: current, vectorLevel: KernelChoice.processorLevel, chosenByUser: set)
        else { return }
        KernelChoice.change(to: better)
        if corename.lowercased() != better.lowercased() || !KernelChoice.computesCorrectly() {
            KernelChoice.change(to: current)
        }
        KernelChoice.forgetUserSetting()
    }()

    /// The kernel's name as OpenBLAS calls it, such as `SkylakeX`.
    public static var kernelName: String {
        prepare()
        return corename
    }

    static var corename: String {
        guard let name = unsafe openblas_get_corename() else { return "unknown" }
        return unsafe String(cString: name)
    }

    /// Name, version and build options of the library.
    public static var version: String {
        guard let text = unsafe openblas_get_config() else { return "unknown" }
        return unsafe String(cString: text).trimmingSuffix(" ")
    }

    /// The number of threads one large operation may use, process-wide. For many small matrices set 1 and run several
    /// at once: see `forEachConcurrently`.
    public static var threads: Int {
        get { Int(openblas_get_num_threads()) }
        set { openblas_set_num_threads(Int32(clamping: max(1, newValue))) }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ character: Character) -> String {
        var text = self[...]
        while text.last == character { text = text.dropLast() }
        return String(text)
    }
}
