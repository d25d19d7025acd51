/// Single-precision memory, allocated once and zero at first. Whoever has it keeps threads from each other's parts.
@safe final class Scratch: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) {
        unsafe base = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count))
        unsafe base.initialize(repeating: 0, count: max(1, count))
        self.count = count
    }

    deinit { unsafe base.deallocate() }
}
