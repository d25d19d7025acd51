internal import ConverterKit

/// Col2Im, and its gradient.
enum ColumnOperators {
    static let all = [columnsToImage]

    /// Sums blocks `[N, C·∏block, L]` at their places in images `[N, C, …]`.
    static let columnsToImage = Operator("Col2Im") { preparation in
        let fact = try preparation.fact(0)
        guard let image = try preparation.integers(1), let block = try preparation.integers(2) else {
            throw ExecutionError.missingInput("shapes of Col2Im")
        }
        let rank = image.count
        let attributes = preparation.attributes
        let ones = [Int](repeating: 1, count: rank)
        let (dilations, strides) = (attributes.ints("dilations") ?? ones, attributes.ints("strides") ?? ones)
        let pads = attributes.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
        let limit = 1 << 30
        guard fact.shape.count == 3, rank > 0, block.count == rank, dilations.count == rank, strides.count == rank,
            pads.count == 2 * rank, (image + block + dilations + strides).allSatisfy({ $0 > 0 && $0 < limit }),
            pads.allSatisfy({ $0 >= 0 && $0 < limit })
        else { throw ExecutionError.shape("Col2Im of \(fact.shape) to \(image) with blocks \(block)") }
        let taps = try block.elementCount()
        let places = try (0..<rank).map { axis -> Int in
            let reach = image[axis] + pads[axis] + pads[axis + rank] - dilations[axis] * (block[axis] - 1) - 1
            guard reach >= 0 else { throw ExecutionError.shape("a block of Col2Im is larger than the image") }
            return reach / strides[axis] + 1
        }
        guard fact.shape[1] % taps == 0, try places.elementCount() == fact.shape[2] else {
            throw ExecutionError.shape("Col2Im of \(fact.shape) to \(image) with blocks \(block)")
        }
        let (channels, plane) = (fact.shape[1] / taps, try image.elementCount())
        let result = TensorFact(type: fact.type, shape: [fact.shape[0], channels] + image)
        _ = try result.shape.elementCount()
        // By tap and axis, where each place lies in the image.
        let tapRows = StridedRows(extents: block, strides: ones)
        let (imageStrides, length) = (image.rowMajorStrides, fact.shape[2])
        let tables = (0..<tapRows.count).map { tap -> [[Int]] in
            var left = tap
            var position = [Int](repeating: 0, count: rank)
            for axis in (0..<rank).reversed() { (left, position[axis]) = (left / block[axis], left % block[axis]) }
            return (0..<rank).map { axis in
                (0..<places[axis]).map { place in
                    let at = place * strides[axis] + position[axis] * dilations[axis] - pads[axis]
                    return at >= 0 && at < image[axis] ? at * imageStrides[axis] : -1
                }
            }
        }
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let (from, to) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(result.shape[0] * channels) { range in
                    for unit in range {
                        let target = unsafe to + unit * plane
                        unsafe target.update(repeating: .zero, count: plane)
                        for tap in 0..<taps {
                            let source = unsafe from + (unit * taps + tap) * length
                            for place in 0..<length {
                                guard let offset = Self.offset(place, places, tables[tap]) else { continue }
                                unsafe target[offset] = T.adding(target[offset], source[place])
                            }
                        }
                    }
                }
            }
        }
        guard let element = fact.type.storage?.element else {
            throw ExecutionError.unsupported("Col2Im of \(fact.type)")
        }
        return make(element)
    }

    /// Where the place of a tap lies in the image; `nil` in the padding.
    private static func offset(_ place: Int, _ places: [Int], _ table: [[Int]]) -> Int? {
        var (left, offset) = (place, 0)
        for axis in places.indices.reversed() {
            let step = table[axis][left % places[axis]]
            if step < 0 { return nil }
            offset += step
            left /= places[axis]
        }
        return offset
    }
}
