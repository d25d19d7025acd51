internal import LinearAlgebra
internal import Synchronization

/// Runs the same numerics for many layers. Small layers go one to a thread with single-threaded BLAS, large ones one
/// after the other with BLAS's own threads: the first is several times faster for the hundreds of small matrices of a
/// CNN, the second for one matrix that fills the caches, and keeps only one of the large ones in memory.
struct LayerLoop: Sendable {
    /// Elements of a weight above which a layer runs alone.
    private static let largeWeight = 8 << 20

    let threads: Int

    /// Results by index. The error of the lowest index is thrown, so that a run is the same whatever the threads do.
    func map<Result: Sendable>(
        weights: [Int], _ body: @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let large = weights.indices.filter { weights[$0] > Self.largeWeight }
        let small = weights.indices.filter { weights[$0] <= Self.largeWeight }
        let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
        @Sendable func run(_ index: Int) {
            let result = Swift.Result { try body(index) }
            results.withLock { $0[index] = result }
        }
        BLAS.prepare()
        BLAS.threads = threads
        // The largest first, so that the threads end together.
        let order = small.sorted { (weights[$0], $1) > (weights[$1], $0) }
        try BLAS.forEachConcurrently(order.count) { run(order[$0]) }
        for index in large { run(index) }
        let all = results.withLock { $0 }
        return try weights.indices.compactMap { try all[$0]?.get() }
    }
}
