/// The extents that view operators give. Each returns `nil` for arguments that the operator refuses.
enum ShapeArithmetic {
    /// Reshape: 0 copies an extent (unless `keepsZero`), one -1 takes the rest.
    static func reshape(_ shape: [Int], to wanted: [Int], keepsZero: Bool) -> [Int]? {
        guard let count = product(shape) else { return nil }
        var result: [Int] = []
        var open: Int?
        for (axis, extent) in wanted.enumerated() {
            if extent == -1 {
                guard open == nil else { return nil }
                open = axis
                result.append(1)
            } else if extent == 0 && !keepsZero {
                guard axis < shape.count else { return nil }
                result.append(shape[axis])
            } else {
                guard extent >= 0 else { return nil }
                result.append(extent)
            }
        }
        guard let known = product(result) else { return nil }
        if let open {
            guard known > 0, count % known == 0 else { return nil }
            result[open] = count / known
        } else if known != count {
            return nil
        }
        return result
    }

    static func flatten(_ shape: [Int], axis: Int) -> [Int]? {
        let axis = axis < 0 ? axis + shape.count : axis
        guard axis >= 0, axis <= shape.count, let rows = product(shape[..<axis]), let columns = product(shape[axis...])
        else { return nil }
        return [rows, columns]
    }

    /// Without axes every extent of 1 goes.
    static func squeeze(_ shape: [Int], axes: [Int]?) -> [Int]? {
        guard let axes else { return shape.filter { $0 != 1 } }
        guard let axes = normalized(axes, rank: shape.count), axes.allSatisfy({ shape[$0] == 1 }) else { return nil }
        return shape.enumerated().filter { !axes.contains($0.offset) }.map(\.element)
    }

    static func unsqueeze(_ shape: [Int], axes: [Int]) -> [Int]? {
        guard let axes = normalized(axes, rank: shape.count + axes.count), Set(axes).count == axes.count else {
            return nil
        }
        var rest = shape[...]
        return (0..<shape.count + axes.count).map { axes.contains($0) ? 1 : rest.removeFirst() }
    }

    /// Axes counted from the front.
    static func normalized(_ axes: [Int], rank: Int) -> [Int]? {
        let result = axes.map { $0 < 0 ? $0 + rank : $0 }
        return result.allSatisfy { (0..<rank).contains($0) } ? result : nil
    }

    /// `nil` on overflow and for negative extents.
    static func product(_ extents: some Sequence<Int>) -> Int? {
        var product = 1
        for extent in extents {
            guard extent >= 0 else { return nil }
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            product = next
        }
        return product
    }
}
