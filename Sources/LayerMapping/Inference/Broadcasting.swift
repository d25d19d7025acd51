/// Extents that broadcast to one another, aligned at the last axis.
enum Broadcasting {
    /// The common shape. An unknown extent gives way to a known one other than 1, and stays unknown beside 1.
    static func shape(of shapes: [[Int?]]) -> [Int?] {
        let rank = shapes.map(\.count).max() ?? 0
        return (0..<rank).map { axis in
            var result: Int? = 1
            for shape in shapes {
                let position = axis - (rank - shape.count)
                guard position >= 0 else { continue }
                switch (result, shape[position]) {
                case (_, 1): break
                case (1, let extent): result = extent
                case (nil, let extent?): result = extent
                default: break
                }
            }
            return result
        }
    }
}
