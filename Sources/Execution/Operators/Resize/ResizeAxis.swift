internal import ConverterKit

/// How one axis is resized: where each result lies in the source, and which sources make it.
struct ResizeAxis {
    /// Indices of the source and of the result.
    var source: Int
    var result: Int
    var scale: Double
    /// Part of the source that is resized, for `tf_crop_and_resize`: from 0 to 1.
    var region: (start: Double, end: Double) = (0, 1)

    struct Method {
        enum Mode: String { case nearest, linear, cubic }

        var mode: Mode
        var coordinates: String
        var rounding: String
        var cubicCoefficient: Double
        var excludesOutside: Bool
        var isAntialiased: Bool
    }

    /// The place in the source of a result's centre.
    private func place(_ index: Int, _ coordinates: String) throws -> Double {
        let x = Double(index)
        let length = scale * Double(source)
        switch coordinates {
        case "half_pixel": return (x + 0.5) / scale - 0.5
        case "pytorch_half_pixel": return length > 1 ? (x + 0.5) / scale - 0.5 : 0
        case "tf_half_pixel_for_nn": return (x + 0.5) / scale
        case "asymmetric": return x / scale
        case "align_corners": return length == 1 ? 0 : x * Double(source - 1) / (length - 1)
        case "half_pixel_symmetric":
            let offset = Double(source) / 2 * (1 - Double(result) / length)
            return offset + (x + 0.5) / scale - 0.5
        case "tf_crop_and_resize":
            let (last, width) = (Double(source - 1), region.end - region.start)
            return length == 1
                ? 0.5 * (region.start + region.end) * last : region.start * last + x * width * last / (length - 1)
        default: throw ExecutionError.attribute("there is no coordinate transformation \(coordinates)")
        }
    }

    /// By result, the sources with their weights; none where the place lies outside the source and is filled.
    func table(_ method: Method) throws -> MixTable {
        var table = MixTable(extent: source)
        for index in 0..<result {
            let place = try place(index, method.coordinates)
            guard place.isFinite, abs(place) < 1e15 else { throw ExecutionError.attribute("a scale of \(scale)") }
            if method.coordinates == "tf_crop_and_resize", place < 0 || place > Double(source - 1) {
                table.append([])
            } else if method.mode == .nearest {
                table.append([(source: try nearest(place, method.rounding), weight: 1)])
            } else {
                table.append(terms(place, method))
            }
        }
        return table
    }

    private func nearest(_ place: Double, _ rounding: String) throws -> Int {
        let rounded: Double
        switch rounding {
        case "round_prefer_floor": rounded = (place - 0.5).rounded(.up)
        case "round_prefer_ceil": rounded = (place + 0.5).rounded(.down)
        case "floor": rounded = place.rounded(.down)
        case "ceil": rounded = place.rounded(.up)
        // Before version 11 the way was not stated; the reference runtime has always done this.
        case "": rounded = place.rounded(scale < 1 ? .up : .towardZero)
        default: throw ExecutionError.attribute("there is no nearest mode \(rounding)")
        }
        return Int(min(max(rounded, 0), Double(source - 1)))
    }

    private func terms(_ place: Double, _ method: Method) -> [(source: Int, weight: Double)] {
        let reach = method.mode == .linear ? 1.0 : 2.0
        let shrink = method.isAntialiased ? min(scale, 1) : 1
        let left = place.rounded(.up) - 1
        let first = Int((-reach / shrink).rounded(.down)) + 1
        var terms: [(source: Int, weight: Double)] = []
        for offset in first..<2 - first {
            let index = Int(left) + offset
            let distance = abs((Double(offset) - (place - left)) * shrink)
            var weight = Self.weight(distance, method)
            if method.excludesOutside, index < 0 || index >= source { weight = 0 }
            terms.append((source: min(max(index, 0), source - 1), weight: weight))
        }
        if method.excludesOutside || method.isAntialiased {
            let sum = terms.reduce(0) { $0 + $1.weight }
            if sum != 0 { for index in terms.indices { terms[index].weight /= sum } }
        }
        return terms
    }

    /// The interpolating function; the cubic one is that of Keys, 1981.
    private static func weight(_ distance: Double, _ method: Method) -> Double {
        if method.mode == .linear { return max(0, 1 - distance) }
        let (a, x) = (method.cubicCoefficient, distance)
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }
}
