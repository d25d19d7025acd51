/// A three-way array `[a, b, c]` with its last two axes exchanged, `[a, c, b]`, row-major. `batch` times over, starting
/// at `offset`. One read and one write of each element.
public func exchangingLastAxes(
    _ elements: [Float], offset: Int = 0, _ a: Int, _ b: Int, _ c: Int
) throws -> [Float] {
    guard a >= 0, b >= 0, c >= 0, offset >= 0, offset + a * b * c <= elements.count else {
        throw LinearAlgebraError.sizeMismatch("\(a)×\(b)×\(c) at \(offset) is beyond \(elements.count) elements")
    }
    if b == 1 || c == 1 { return Array(elements[offset..<offset + a * b * c]) }
    let input = elements.span.extracting(offset..<offset + a * b * c)
    return unsafe [Float](unsafeUninitializedCapacity: a * b * c) { buffer, count in
        // Square tiles keep both the rows read and the rows written in the first-level cache.
        let tile = 32
        for outer in 0..<a {
            let base = outer * b * c
            for firstRow in stride(from: 0, to: b, by: tile) {
                for firstColumn in stride(from: 0, to: c, by: tile) {
                    for row in firstRow..<min(b, firstRow + tile) {
                        for column in firstColumn..<min(c, firstColumn + tile) {
                            unsafe buffer[base + column * b + row] = input[unchecked: base + row * c + column]
                        }
                    }
                }
            }
        }
        count = a * b * c
    }
}
