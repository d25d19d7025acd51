extension Array {
    /// The elements, row-major over `shape`, in the order of the axes `axes` of it.
    func transposed(shape: [Int], axes: [Int]) -> [Element] {
        if axes == [Int](axes.indices) || isEmpty { return self }
        if shape.count == 2 { return transposedMatrix(rows: shape[0], columns: shape[1]) }
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
        let extents = axes.map { shape[$0] }
        let steps = axes.map { strides[$0] }
        var result: [Element] = []
        result.reserveCapacity(count)
        guard let innerExtent = extents.last, let innerStep = steps.last else { return self }
        var position = [Int](repeating: 0, count: extents.count)
        var base = 0
        while true {
            for index in 0..<innerExtent { result.append(self[base + index * innerStep]) }
            var axis = extents.count - 2
            while axis >= 0 {
                position[axis] += 1
                base += steps[axis]
                if position[axis] < extents[axis] { break }
                base -= extents[axis] * steps[axis]
                position[axis] = 0
                axis -= 1
            }
            if axis < 0 { return result }
        }
    }

    /// A matrix transposed in tiles that stay in the first-level cache: a large weight is read and written once.
    private func transposedMatrix(rows: Int, columns: Int) -> [Element] {
        let tile = 32
        return unsafe [Element](unsafeUninitializedCapacity: count) { result, initialized in
            unsafe withUnsafeBufferPointer { source in
                for firstRow in stride(from: 0, to: rows, by: tile) {
                    for firstColumn in stride(from: 0, to: columns, by: tile) {
                        for column in firstColumn..<Swift.min(firstColumn + tile, columns) {
                            for row in firstRow..<Swift.min(firstRow + tile, rows) {
                                unsafe result.initializeElement(
                                    at: column * rows + row, to: source[row * columns + column])
                            }
                        }
                    }
                }
            }
            initialized = count
        }
    }
}
