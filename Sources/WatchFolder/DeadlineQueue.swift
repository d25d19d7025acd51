/// Paths in the order of their instants: a binary heap. Entries are not taken back; who takes one out looks whether it
/// still holds.
struct DeadlineQueue<Instant: Comparable> {
    private var heap: [(due: Instant, path: BytePath)] = []

    var first: Instant? { heap.first?.due }

    /// O(log n).
    mutating func insert(_ path: BytePath, due: Instant) {
        heap.append((due, path))
        var child = heap.count - 1
        while child > 0, heap[child].due < heap[(child - 1) / 2].due {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The earliest entry if its instant is not after `now`. O(log n).
    mutating func pop(upTo now: Instant) -> (due: Instant, path: BytePath)? {
        guard let first = heap.first, first.due <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].due < heap[least].due
            {
                least = child
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
