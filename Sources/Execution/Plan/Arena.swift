/// Places in one block of memory for values of known sizes and lifetimes: those that are alive at the same time do not
/// overlap. Several orders are tried, and the one that takes the least is kept.
struct Arena {
    struct Tenant {
        var byteCount: Int
        /// First and last step.
        var life: ClosedRange<Int>
    }

    private(set) var offsets: [Int]
    private(set) var byteCount = 0
    /// The largest sum of what is alive at one step: no placement takes less.
    let leastByteCount: Int

    /// O(n²) in the number of tenants.
    init(_ tenants: [Tenant]) {
        offsets = [Int](repeating: 0, count: tenants.count)
        leastByteCount = Self.most(of: tenants)
        let used = tenants.indices.filter { tenants[$0].byteCount > 0 }
        byteCount = used.isEmpty ? 0 : .max
        for key in Self.keys {
            // Largest first, equal ones as they come.
            let weights = tenants.map(key)
            let order = used.sorted { (weights[$1], $0) < (weights[$0], $1) }
            for fit in [Fit.lowest, .tightest] {
                let (places, end) = Self.placed(tenants, in: order, fit)
                if end < byteCount { (offsets, byteCount) = (places, end) }
                if byteCount == leastByteCount { return }
            }
        }
    }

    /// What makes a tenant come early: its size, its size over its life, the length of its life, its beginning or end.
    private static let keys: [@Sendable (Tenant) -> Double] = [
        { Double($0.byteCount) },
        { Double($0.byteCount) * Double($0.life.count) },
        { Double($0.life.count) },
        { -Double($0.life.lowerBound) },
        { Double($0.life.upperBound) },
    ]

    /// Among the gaps that are free for all of a tenant's life, the one at the lowest place or the smallest.
    private enum Fit { case lowest, tightest }

    private static func placed(_ tenants: [Tenant], in order: [Int], _ fit: Fit) -> (offsets: [Int], end: Int) {
        var offsets = [Int](repeating: 0, count: tenants.count)
        var end = 0
        // Placed tenants, in the order of their offsets.
        var placed: [Int] = []
        for index in order {
            let size = rounded(tenants[index].byteCount)
            var (free, best, room) = (0, -1, Int.max)
            for other in placed where tenants[other].life.overlaps(tenants[index].life) {
                let gap = offsets[other] - free
                if gap >= size, gap < room {
                    (best, room) = (free, gap)
                    if fit == .lowest { break }
                }
                free = max(free, offsets[other] + rounded(tenants[other].byteCount))
            }
            let offset = best >= 0 ? best : free
            offsets[index] = offset
            end = max(end, offset + size)
            let place = placed.firstIndex { offsets[$0] > offset } ?? placed.count
            placed.insert(index, at: place)
        }
        return (offsets, end)
    }

    private static func most(of tenants: [Tenant]) -> Int {
        let first = tenants.map(\.life.lowerBound).min() ?? 0
        let steps = (tenants.map(\.life.upperBound).max() ?? 0) - first + 2
        var change = [Int](repeating: 0, count: steps)
        for tenant in tenants {
            change[tenant.life.lowerBound - first] += rounded(tenant.byteCount)
            change[tenant.life.upperBound - first + 1] -= rounded(tenant.byteCount)
        }
        var (alive, most) = (0, 0)
        for step in change {
            alive += step
            most = max(most, alive)
        }
        return most
    }

    static func rounded(_ byteCount: Int) -> Int {
        (byteCount + Buffer.alignment - 1) / Buffer.alignment * Buffer.alignment
    }
}
