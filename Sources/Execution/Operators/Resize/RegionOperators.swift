internal import ConverterKit

/// RoiAlign and MaxRoiPool: parts of images brought to one size.
enum RegionOperators {
    static let all = [roiAlign, maxRoiPool]

    /// Each region divided into bins; each bin the mean (or maximum) of interpolated samples.
    static let roiAlign = Operator("RoiAlign", tolerance: 1e-4) { preparation in
        let (fact, regions, images) = (try preparation.fact(0), try preparation.fact(1), try preparation.fact(2))
        let attributes = preparation.attributes
        let output = (
            height: attributes.int("output_height", otherwise: 1), width: attributes.int("output_width", otherwise: 1)
        )
        let sampling = attributes.int("sampling_ratio", otherwise: 0)
        let scale = Double(attributes.float("spatial_scale", otherwise: 1))
        let mode = attributes.string("mode") ?? "avg"
        let transformation = attributes.string("coordinate_transformation_mode") ?? "half_pixel"
        let isHalf = preparation.version >= 16 && transformation == "half_pixel"
        guard fact.shape.count == 4, regions.shape.count == 2, regions.shape[1] == 4, images.count == regions.shape[0],
            output.height > 0, output.width > 0, sampling >= 0, sampling < 1 << 12, mode == "avg" || mode == "max",
            fact.shape[2] > 0, fact.shape[3] > 0
        else { throw ExecutionError.shape("RoiAlign of \(fact.shape) with regions \(regions.shape)") }
        guard regions.type.storage == fact.type.storage else { throw ExecutionError.type("RoiAlign of \(fact.type)") }
        let result = TensorFact(
            type: fact.type, shape: [regions.shape[0], fact.shape[1], output.height, output.width])
        let bins = try [output.height, output.width].elementCount()
        _ = try result.shape.elementCount()
        let plane = fact.shape[2] * fact.shape[3]
        func make<T: Element & BinaryFloatingPoint>(_: T.Type) -> Prepared {
            Prepared([result], scratch: images.count * 8) { arguments in
                let indices = unsafe arguments.scratch(Int64.self)
                unsafe try Indices.read(
                    arguments, input: 2, type: images.type, count: images.count, extent: fact.shape[0], to: indices)
                let (from, corners) = unsafe (arguments.input(0, T.self), arguments.input(1, T.self))
                let to = unsafe arguments.output(0, T.self)
                arguments.pool.split(images.count * bins) { range in
                    for unit in range {
                        let (n, bin) = unit.quotientAndRemainder(dividingBy: bins)
                        let region = AlignedRegion(
                            (0..<4).map { unsafe Double(corners[4 * n + $0]) * scale - (isHalf ? 0.5 : 0) },
                            isHalf: isHalf, output: output, sampling: sampling)
                        let samples = region.samples(
                            row: bin / output.width, column: bin % output.width, height: fact.shape[2],
                            width: fact.shape[3])
                        let source = unsafe from + Int(indices[n]) * fact.shape[1] * plane
                        for channel in 0..<fact.shape[1] {
                            let value =
                                unsafe mode == "avg"
                                ? AlignedRegion.mean(samples, source + channel * plane, region.sampleCount)
                                : AlignedRegion.maximum(samples, source + channel * plane)
                            unsafe to[(n * fact.shape[1] + channel) * bins + bin] = T(value)
                        }
                    }
                }
            }
        }
        switch fact.type.storage {
        case .float: return make(Float.self)
        case .double: return make(Double.self)
        default: throw ExecutionError.type("RoiAlign of \(fact.type)")
        }
    }

    /// Each region, in whole elements, divided into bins; each bin its maximum, 0 when it is empty.
    static let maxRoiPool = Operator("MaxRoiPool") { preparation in
        let (fact, regions) = (try preparation.fact(0), try preparation.fact(1))
        guard let pooled = preparation.attributes.ints("pooled_shape"), pooled.count == 2,
            pooled.allSatisfy({ $0 > 0 && $0 < 1 << 20 }), fact.shape.count == 4, regions.shape.count == 2,
            regions.shape[1] == 5, regions.type.storage == fact.type.storage
        else { throw ExecutionError.shape("MaxRoiPool of \(fact.shape) with regions \(regions.shape)") }
        let scale = Double(preparation.attributes.float("spatial_scale", otherwise: 1))
        let (channels, height, width) = (fact.shape[1], fact.shape[2], fact.shape[3])
        let result = TensorFact(type: fact.type, shape: [regions.shape[0], channels] + pooled)
        _ = try result.shape.elementCount()
        func make<T: Element & BinaryFloatingPoint>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let (from, corners) = unsafe (arguments.input(0, T.self), arguments.input(1, T.self))
                let to = unsafe arguments.output(0, T.self)
                for n in 0..<regions.shape[0] {
                    let image = unsafe Int(Int64(clamping: Double(corners[5 * n])))
                    guard (0..<fact.shape[0]).contains(image) else {
                        throw ExecutionError.shape("a region of image \(image) among \(fact.shape[0])")
                    }
                    let bounds = (1..<5).map { corner in
                        unsafe Int(Int32(clamping: (Double(corners[5 * n + corner]) * scale).rounded()))
                    }
                    let rows = bins(bounds[1], bounds[3], pooled[0], height)
                    let columns = bins(bounds[0], bounds[2], pooled[1], width)
                    arguments.pool.split(channels) { range in
                        for channel in range {
                            let source = unsafe from + (image * channels + channel) * height * width
                            let target = unsafe to + (n * channels + channel) * pooled[0] * pooled[1]
                            for (i, row) in rows.enumerated() {
                                for (j, column) in columns.enumerated() {
                                    var best: T? = nil
                                    for y in row {
                                        for x in column {
                                            let value = unsafe source[y * width + x]
                                            best = best.map { max($0, value) } ?? value
                                        }
                                    }
                                    unsafe target[i * pooled[1] + j] = best ?? 0
                                }
                            }
                        }
                    }
                }
            }
        }
        switch fact.type.storage {
        case .float: return make(Float.self)
        case .double: return make(Double.self)
        default: throw ExecutionError.type("MaxRoiPool of \(fact.type)")
        }
    }

    /// The indices of each bin along an axis.
    private static func bins(_ first: Int, _ last: Int, _ count: Int, _ extent: Int) -> [Range<Int>] {
        let size = Double(max(last - first + 1, 1)) / Double(count)
        return (0..<count).map { bin in
            let start = min(max(Int((Double(bin) * size).rounded(.down)) + first, 0), extent)
            let end = min(max(Int((Double(bin + 1) * size).rounded(.up)) + first, 0), extent)
            return start..<max(start, end)
        }
    }
}

/// A region of an image in bins, each of which is sampled at a grid of places.
struct AlignedRegion {
    private let start: (y: Double, x: Double)
    private let bin: (height: Double, width: Double)
    private let grid: (rows: Int, columns: Int)

    /// An interpolated place: four elements and their weights.
    struct Sample {
        var offsets: (Int, Int, Int, Int)
        var weights: (Double, Double, Double, Double)
    }

    /// Grids of this many places along an axis at most, so that an absurd region cannot run for ever.
    private static let mostPlaces = 4096.0

    /// - Parameter corners: x₁, y₁, x₂, y₂ in elements.
    init(_ corners: [Double], isHalf: Bool, output: (height: Int, width: Int), sampling: Int) {
        var (width, height) = (corners[2] - corners[0], corners[3] - corners[1])
        if !isHalf { (width, height) = (max(width, 1), max(height, 1)) }
        start = (corners[1], corners[0])
        bin = (height / Double(output.height), width / Double(output.width))
        func places(_ size: Double) -> Int {
            sampling > 0 ? sampling : size.isNaN ? 0 : Int(min(max(size.rounded(.up), 0), Self.mostPlaces))
        }
        grid = (places(bin.height), places(bin.width))
    }

    var sampleCount: Int { max(1, grid.rows * grid.columns) }

    func samples(row: Int, column: Int, height: Int, width: Int) -> [Sample] {
        var samples: [Sample] = []
        for i in 0..<grid.rows {
            let y = start.y + (Double(row) + (Double(i) + 0.5) / Double(grid.rows)) * bin.height
            for j in 0..<grid.columns {
                let x = start.x + (Double(column) + (Double(j) + 0.5) / Double(grid.columns)) * bin.width
                guard y >= -1, y <= Double(height), x >= -1, x <= Double(width) else {
                    samples.append(Sample(offsets: (0, 0, 0, 0), weights: (0, 0, 0, 0)))
                    continue
                }
                let (y0, y1, v) = Self.neighbours(y, height)
                let (x0, x1, u) = Self.neighbours(x, width)
                samples.append(
                    Sample(
                        offsets: (y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1),
                        weights: ((1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u)))
            }
        }
        return samples
    }

    private static func neighbours(_ place: Double, _ extent: Int) -> (Int, Int, Double) {
        let inside = max(place, 0)
        let low = Int(inside)
        if low >= extent - 1 { return (extent - 1, extent - 1, 0) }
        return (low, low + 1, inside - Double(low))
    }

    @unsafe static func mean<T: BinaryFloatingPoint>(
        _ samples: [Sample], _ image: UnsafePointer<T>, _ count: Int
    ) -> Double {
        var sum = 0.0
        for sample in samples {
            let (o, w) = (sample.offsets, sample.weights)
            unsafe sum += w.0 * Double(image[o.0]) + w.1 * Double(image[o.1])
            unsafe sum += w.2 * Double(image[o.2]) + w.3 * Double(image[o.3])
        }
        return sum / Double(count)
    }

    /// Of the weighted elements themselves, as the standard's reference has it.
    @unsafe static func maximum<T: BinaryFloatingPoint>(_ samples: [Sample], _ image: UnsafePointer<T>) -> Double {
        var best: Double?
        for sample in samples {
            let (o, w) = (sample.offsets, sample.weights)
            let value = unsafe max(
                w.0 * Double(image[o.0]), w.1 * Double(image[o.1]), w.2 * Double(image[o.2]), w.3 * Double(image[o.3]))
            best = best.map { max($0, value) } ?? value
        }
        return best ?? 0
    }
}
