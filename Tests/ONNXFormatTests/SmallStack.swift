internal import Glibc

/// Runs a body on a thread with a stack of 256 KiB.
enum SmallStack {
    private final class Box<Result: Sendable>: @unchecked Sendable {
        let body: @Sendable () -> Result
        var result: Result?
        init(_ body: @escaping @Sendable () -> Result) { self.body = body }
        func run() { result = body() }
    }

    private class Job: @unchecked Sendable {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result? {
        let box = Box(body)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, 256 << 10)
        var thread = pthread_t()
        let job = unsafe Unmanaged.passRetained(Job { box.run() }).toOpaque()
        let status = unsafe pthread_create(
            &thread, &attributes,
            { pointer in
                guard let pointer = unsafe pointer else { return nil }
                unsafe Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue().run()
                return nil
            }, job)
        guard status == 0 else { return nil }
        pthread_join(thread, nil)
        return box.result
    }
}
