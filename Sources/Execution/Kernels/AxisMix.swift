internal import ConverterKit

/// A sparse matrix that is applied along one axis: of each result, the terms `weight · source`.
struct MixTable: Sendable {
    /// Indices of the source's axis.
    let extent: Int
    /// By result, where its terms begin; one more at the end.
    var starts: [Int] = [0]
    var sources: [Int] = []
    var weights: [Float] = []

    var count: Int { starts.count - 1 }

    init(extent: Int) { self.extent = extent }

    mutating func append(_ terms: [(source: Int, weight: Double)]) {
        var joined: [(source: Int, weight: Double)] = []
        for term in terms where term.weight != 0 {
            if let known = joined.firstIndex(where: { $0.source == term.source }) {
                joined[known].weight += term.weight
            } else {
                joined.append(term)
            }
        }
        for term in joined.sorted(by: { $0.source < $1.source }) {
            sources.append(term.source)
            weights.append(Float(term.weight))
        }
        starts.append(sources.count)
    }

    /// The matrix that turns gradients of the results into those of the sources.
    var transposed: MixTable {
        var terms = [[(source: Int, weight: Double)]](repeating: [], count: extent)
        for result in 0..<count {
            for term in starts[result]..<starts[result + 1] {
                terms[sources[term]].append((source: result, weight: Double(weights[term])))
            }
        }
        var table = MixTable(extent: count)
        for list in terms { table.append(list) }
        return table
    }

    var attributes: AttributeList {
        ["extent": extent, "starts": starts, "sources": sources, "weights": weights]
    }

    /// Throws `execution.attribute` when the lists do not fit each other.
    init(_ attributes: AttributeList) throws {
        extent = attributes.int("extent", otherwise: 0)
        starts = attributes.ints("starts") ?? [0]
        sources = attributes.ints("sources") ?? []
        weights = attributes.floats("weights") ?? []
        guard starts.first == 0, starts.last == sources.count, weights.count == sources.count,
            zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 }),
            sources.allSatisfy({ $0 >= 0 && $0 < extent })
        else { throw ExecutionError.attribute("the table of an axis does not fit itself") }
    }
}

/// Applies a table along the middle axis of `[outer, extent, inner]`.
struct AxisMix {
    let table: MixTable
    let outer: Int
    let inner: Int

    /// Multiply-accumulates.
    var macs: Int { outer * inner * table.sources.count }

    @unsafe func run<T: BinaryFloatingPoint>(_ from: UnsafePointer<T>, _ to: UnsafeMutablePointer<T>, pool: ThreadPool)
    {
        let results = table.count
        guard results > 0, inner > 0 else { return }
        pool.split(outer * results, grain: max(1, StridedCopy.grain / (4 * inner))) { range in
            unsafe table.starts.withUnsafeBufferPointer { starts in
                unsafe table.sources.withUnsafeBufferPointer { sources in
                    unsafe table.weights.withUnsafeBufferPointer { weights in
                        for unit in range {
                            let (o, result) = unit.quotientAndRemainder(dividingBy: results)
                            let source = unsafe from + o * table.extent * inner
                            let terms = unsafe starts[result]..<starts[result + 1]
                            if inner == 1 {
                                var sum: T = 0
                                for term in terms { unsafe sum += T(weights[term]) * source[sources[term]] }
                                unsafe to[unit] = sum
                            } else {
                                unsafe mix(source, to + unit * inner, terms, sources, weights)
                            }
                        }
                    }
                }
            }
        }
    }

    @unsafe private func mix<T: BinaryFloatingPoint>(
        _ from: UnsafePointer<T>, _ to: UnsafeMutablePointer<T>, _ terms: Range<Int>,
        _ sources: UnsafeBufferPointer<Int>, _ weights: UnsafeBufferPointer<Float>
    ) {
        guard let first = terms.first else { return unsafe to.update(repeating: 0, count: inner) }
        let a = unsafe from + sources[first] * inner
        let weight = unsafe T(weights[first])
        if terms.count == 2 {
            let b = unsafe from + sources[first + 1] * inner
            let other = unsafe T(weights[first + 1])
            for i in 0..<inner { unsafe to[i] = weight * a[i] + other * b[i] }
            return
        }
        for i in 0..<inner { unsafe to[i] = weight * a[i] }
        for term in terms.dropFirst() {
            let b = unsafe from + sources[term] * inner
            let other = unsafe T(weights[term])
            for i in 0..<inner { unsafe to[i] += other * b[i] }
        }
    }
}
