/// Places in one block of memory for values of known sizes and lifetimes: those that are alive at the same time do not
/// overlap. Large ones first, each at the lowest place that is free for all its life.
struct Arena {
    struct Tenant {
        var byteCount: Int
        /// First and last step.
        var life: ClosedRange<Int>
    }

    private(set) var offsets: [Int]
    private(set) var byteCount = 0

    /// O(n²) in the number of tenants.
    init(_ tenants: [Tenant]) {
        offsets = [Int](repeating: 0, count: tenants.count)
        let order = tenants.indices.sorted {
            (tenants[$1].byteCount, $0) < (tenants[$0].byteCount, $1)
        }
        // Placed tenants, in the order of their offsets.
        var placed: [Int] = []
        for index in order where tenants[index].byteCount > 0 {
            let size = Self.rounded(tenants[index].byteCount)
            var offset = 0
            for other in placed where tenants[other].life.overlaps(tenants[index].life) {
                if offsets[other] >= offset + size { break }
                offset = max(offset, offsets[other] + Self.rounded(tenants[other].byteCount))
            }
            offsets[index] = offset
            byteCount = max(byteCount, offset + size)
            let place = placed.firstIndex { offsets[$0] > offset } ?? placed.count
            placed.insert(index, at: place)
        }
    }

    static func rounded(_ byteCount: Int) -> Int {
        (byteCount + Buffer.alignment - 1) / Buffer.alignment * Buffer.alignment
    }
}
