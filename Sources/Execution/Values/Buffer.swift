/// Memory of a tensor, at a multiple of 64 bytes. Whoever writes to it keeps others from it meanwhile.
@safe final class Buffer: @unchecked Sendable {
    static let alignment = 64

    let base: UnsafeMutableRawPointer
    let byteCount: Int
    /// The memory's owner when it is a part of another one's; `nil` when it is this object's own.
    private let owner: AnyObject?

    /// Zero at first.
    init(byteCount: Int) {
        let size = max(byteCount, 1)
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: Self.alignment)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        self.byteCount = byteCount
        owner = nil
    }

    /// A part of `other`.
    init(of other: Buffer, offset: Int, byteCount: Int) {
        precondition(offset >= 0 && byteCount >= 0 && offset + byteCount <= other.byteCount)
        unsafe base = other.base + offset
        self.byteCount = byteCount
        owner = other
    }

    deinit {
        if owner == nil { unsafe base.deallocate() }
    }
}
