internal import ConverterKit

/// GridSample and AffineGrid.
enum GridOperators {
    static let all = [gridSample, affineGrid]

    /// `Y[n, c, p…] = X[n, c]` interpolated at `grid[n, p…]`, whose coordinates run from -1 to 1, the last axis first.
    static let gridSample = Operator("GridSample") { preparation in
        let (fact, grid) = (try preparation.fact(0), try preparation.fact(1))
        let rank = fact.shape.count - 2
        guard rank >= 1, grid.shape.count == rank + 2, grid.shape[0] == fact.shape[0], grid.shape[rank + 1] == rank,
            fact.shape.dropFirst(2).allSatisfy({ $0 > 0 })
        else { throw ExecutionError.shape("GridSample of \(fact.shape) at \(grid.shape)") }
        let sampler = try GridSampler(Array(fact.shape.dropFirst(2)), preparation.attributes)
        let places = grid.shape[1...rank].reduce(1, *)
        let (channels, plane) = (fact.shape[1], fact.shape.dropFirst(2).reduce(1, *))
        let result = TensorFact(type: fact.type, shape: [fact.shape[0], channels] + grid.shape[1...rank])
        _ = try result.shape.elementCount()
        func make<T: Element, G: Element>(_: T.Type, _: G.Type) -> Prepared {
            Prepared([result], macs: result.count * sampler.taps) { arguments in
                let (from, grid) = unsafe (arguments.input(0, T.self), arguments.input(1, G.self))
                let to = unsafe arguments.output(0, T.self)
                let work = max(1, channels * sampler.taps)
                arguments.pool.split(fact.shape[0] * places, grain: max(1, StridedCopy.grain / work)) { range in
                    var terms = GridSampler.Terms()
                    for unit in range {
                        let (image, place) = unit.quotientAndRemainder(dividingBy: places)
                        sampler.locate(&terms) { unsafe grid[unit * rank + $0].asDouble }
                        for channel in 0..<channels {
                            let source = unsafe from + (image * channels + channel) * plane
                            var sum = 0.0
                            for (offset, weight) in zip(terms.offsets, terms.weights) {
                                unsafe sum += weight * source[offset].asDouble
                            }
                            unsafe to[(image * channels + channel) * places + place] = T(clamping: sum)
                        }
                    }
                }
            }
        }
        guard let element = fact.type.storage?.element, grid.type.isFloating else {
            throw ExecutionError.unsupported("GridSample of \(fact.type) at \(grid.type)")
        }
        func open<T: Element>(_ type: T.Type) -> Prepared {
            grid.type.storage == .double ? make(type, Double.self) : make(type, Float.self)
        }
        return open(element)
    }

    /// The coordinates of each place of an image of `size` under affine maps `theta`, `[N, rank, rank + 1]`.
    static let affineGrid = Operator("AffineGrid") { preparation in
        let fact = try preparation.fact(0)
        guard let size = try preparation.integers(1), size.count == 4 || size.count == 5 else {
            throw ExecutionError.shape("AffineGrid without a size of 4 or 5 axes")
        }
        let rank = size.count - 2
        let image = Array(size.dropFirst(2))
        guard fact.shape == [size[0], rank, rank + 1] else {
            throw ExecutionError.shape("AffineGrid of \(fact.shape) for \(size)")
        }
        let result = TensorFact(type: fact.type, shape: [size[0]] + image + [rank])
        let places = try image.elementCount()
        _ = try result.shape.elementCount()
        let isAligned = preparation.attributes.flag("align_corners")
        let axes = image.map { extent in
            (0..<extent).map { index -> Double in
                if isAligned { return extent == 1 ? -1 : -1 + 2 * Double(index) / Double(extent - 1) }
                return (2 * Double(index) + 1) / Double(extent) - 1
            }
        }
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let (theta, to) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(size[0] * places, grain: 1024) { range in
                    for unit in range {
                        let (n, place) = unit.quotientAndRemainder(dividingBy: places)
                        for row in 0..<rank {
                            let matrix = unsafe theta + (n * rank + row) * (rank + 1)
                            var sum = unsafe matrix[rank].asDouble
                            var left = place
                            for axis in (0..<rank).reversed() {
                                let coordinate = axes[axis][left % image[axis]]
                                unsafe sum += matrix[rank - 1 - axis].asDouble * coordinate
                                left /= image[axis]
                            }
                            unsafe to[unit * rank + row] = T(clamping: sum)
                        }
                    }
                }
            }
        }
        guard let element = fact.type.storage?.element, fact.type.isFloating else {
            throw ExecutionError.type("AffineGrid of \(fact.type)")
        }
        return make(element)
    }
}
