internal import CKernels
internal import Synchronization

/// Threads that share the work of a kernel. Calls from inside a part run all parts one after the other.
@safe final class ThreadPool: @unchecked Sendable {
    private let pool: OpaquePointer?
    let width: Int

    init(width: Int) {
        unsafe pool = rene_pool_create(Int32(clamping: width))
        self.width = unsafe pool.map { unsafe Int(rene_pool_width($0)) } ?? 1
    }

    deinit { unsafe rene_pool_destroy(pool) }

    /// Pools by width: threads are made once in the process for each width that is asked for.
    static func shared(width: Int) -> ThreadPool {
        pools.withLock { pools in
            if let pool = pools[width] { return pool }
            let pool = ThreadPool(width: width)
            pools[width] = pool
            return pool
        }
    }

    private static let pools = Mutex<[Int: ThreadPool]>([:])

    /// Calls `body` once for each part, at the same time where there are threads. Allocates nothing.
    func run(_ body: (_ part: Int, _ parts: Int) -> Void) {
        guard width > 1 else { return body(0, 1) }
        unsafe runParts(pool, body)
    }

    /// Splits `0 ..< count` evenly into runs of at least `grain`, one for each thread.
    func split(_ count: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
        guard count > 0 else { return }
        let parts = min(width, max(1, count / max(1, grain)))
        if parts == 1 { return body(0..<count) }
        run { part, _ in
            guard part < parts else { return }
            body(part * count / parts..<(part + 1) * count / parts)
        }
    }

    /// Calls `body` for each index, the next free thread taking the next one: for work of uneven size.
    func forEach(_ count: Int, _ body: (Int) -> Void) {
        if width == 1 || count <= 1 {
            for index in 0..<max(0, count) { body(index) }
            return
        }
        let next = Atomic<Int>(0)
        run { _, _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                if index >= count { return }
                body(index)
            }
        }
    }
}

/// In threads.c. Passes the closure on as it lies on the stack; to make it a value, `withoutActuallyEscaping` would put it
/// on the heap in each call.
@_silgen_name("rene_pool_run_closure")
private func runParts(_ pool: OpaquePointer?, _ body: (_ part: Int, _ parts: Int) -> Void)
