internal import ConverterKit

/// Operators whose results are as many as the data says.
enum FilteringOperators {
    static let all = [compress, nonZero, unique]

    /// The elements, or the slices along `axis`, where the condition holds.
    static let compress = Operator(evaluating: "Compress") { call in
        let data = try call.tensor(0)
        let condition = try call.tensor(1).integers()
        let kept = condition.indices.filter { condition[$0] != 0 }
        var (outer, extent, block, shape) = (1, data.count, 1, [kept.count])
        if let axis = call.attributes.int("axis") {
            let axis = try Axes.normalized(axis, rank: data.shape.count)
            guard !data.shape.isEmpty else { throw ExecutionError.shape("Compress of a scalar along an axis") }
            (outer, extent) = (data.shape[..<axis].reduce(1, *), data.shape[axis])
            block = data.shape[(axis + 1)...].reduce(1, *)
            shape = data.shape
            shape[axis] = kept.count
        }
        guard condition.count <= extent else {
            throw ExecutionError.shape("a condition of \(condition.count) for \(extent) elements")
        }
        return [.tensor(try taken(data, outer: outer, extent: extent, block: block, kept, shape: shape))]
    }

    /// Slices of the middle axis of `[outer, extent, block]`.
    private static func taken(
        _ data: TensorValue, outer: Int, extent: Int, block: Int, _ kept: [Int], shape: [Int]
    ) throws -> TensorValue {
        if data.type == .string {
            var strings: [String] = []
            for o in 0..<outer {
                for index in kept {
                    let start = (o * extent + index) * block
                    strings += data.strings[start..<start + block]
                }
            }
            return try TensorValue(strings: strings, shape: shape)
        }
        let result = try TensorValue(type: data.type, shape: shape)
        let bytes = try data.fact.elementSize() * block
        for o in 0..<outer {
            for (position, index) in kept.enumerated() {
                unsafe (result.buffer.base + (o * kept.count + position) * bytes).copyMemory(
                    from: data.buffer.base + (o * extent + index) * bytes, byteCount: bytes)
            }
        }
        return result
    }

    /// The indices of the elements that are not zero, `[rank, count]`.
    static let nonZero = Operator(evaluating: "NonZero") { call in
        let data = try call.tensor(0)
        let values = try data.doubles()
        let places = values.indices.filter { values[$0] != 0 }
        // A scalar counts as a vector of one element.
        let shape = data.shape.isEmpty ? [1] : data.shape
        let strides = shape.rowMajorStrides
        let indices = shape.indices.flatMap { axis in places.map { Int64($0 / strides[axis] % shape[axis]) } }
        return [.tensor(try TensorValue(indices, shape: [shape.count, places.count]))]
    }

    /// The different elements, or slices along `axis`: sorted or in the order of their first appearance; with the first
    /// index of each, which of them each element is, and how often each is there.
    static let unique = Operator(evaluating: "Unique") { call in
        let data = try call.tensor(0)
        let isSorted = call.attributes.flag("sorted", otherwise: true)
        var (outer, extent, block) = (1, data.count, 1)
        var shape = [data.count]
        var normalizedAxis = 0
        if let axis = call.attributes.int("axis") {
            let axis = try Axes.normalized(axis, rank: data.shape.count)
            guard !data.shape.isEmpty else { throw ExecutionError.shape("Unique of a scalar along an axis") }
            (outer, extent) = (data.shape[..<axis].reduce(1, *), data.shape[axis])
            (block, shape, normalizedAxis) = (data.shape[(axis + 1)...].reduce(1, *), data.shape, axis)
        }
        let order = try groups(data, outer: outer, extent: extent, block: block)
        var (firsts, inverse, counts) = ([Int](), [Int](repeating: 0, count: extent), [Int]())
        for group in order {
            for index in group { inverse[index] = firsts.count }
            firsts.append(group[0])
            counts.append(group.count)
        }
        if !isSorted {
            let byAppearance = firsts.indices.sorted { firsts[$0] < firsts[$1] }
            var place = [Int](repeating: 0, count: firsts.count)
            for (position, group) in byAppearance.enumerated() { place[group] = position }
            inverse = inverse.map { place[$0] }
            (firsts, counts) = (byAppearance.map { firsts[$0] }, byAppearance.map { counts[$0] })
        }
        shape[normalizedAxis] = firsts.count
        let values = try taken(data, outer: outer, extent: extent, block: block, firsts, shape: shape)
        func list(_ numbers: [Int]) throws -> RuntimeValue {
            .tensor(try TensorValue(numbers.map { Int64($0) }, shape: [numbers.count]))
        }
        return [.tensor(values), try list(firsts), try list(inverse), try list(counts)]
    }

    /// Indices of equal slices, in the order of the slices, each group ascending.
    private static func groups(_ data: TensorValue, outer: Int, extent: Int, block: Int) throws -> [[Int]] {
        func sorted<T: Comparable>(_ elements: [T]) -> [[Int]] {
            func compare(_ a: Int, _ b: Int) -> Int {
                for o in 0..<outer {
                    for position in 0..<block {
                        let x = elements[(o * extent + a) * block + position]
                        let y = elements[(o * extent + b) * block + position]
                        if x < y { return -1 }
                        if y < x { return 1 }
                    }
                }
                return 0
            }
            let order = (0..<extent).sorted { a, b in
                let result = compare(a, b)
                return result == 0 ? a < b : result < 0
            }
            var groups: [[Int]] = []
            for index in order {
                if let last = groups.last, compare(last[0], index) == 0 {
                    groups[groups.count - 1].append(index)
                } else {
                    groups.append([index])
                }
            }
            return groups
        }
        func ofNumbers<T: Element>(_: T.Type) throws -> [[Int]] { sorted(try data.elements(T.self)) }
        guard let element = data.type.storage?.element else { return sorted(data.strings) }
        return try ofNumbers(element)
    }
}
