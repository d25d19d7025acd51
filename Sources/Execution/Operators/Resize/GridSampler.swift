internal import ConverterKit

/// Which elements of an image make the value at a place given by coordinates from -1 to 1, and with which weights.
struct GridSampler {
    enum Mode { case nearest, linear, cubic }
    enum Padding: String { case zeros, border, reflection }

    let extents: [Int]
    private let strides: [Int]
    private let mode: Mode
    private let padding: Padding
    private let isAligned: Bool

    struct Terms {
        var offsets: [Int] = []
        var weights: [Double] = []
    }

    init(_ extents: [Int], _ attributes: AttributeList) throws {
        self.extents = extents
        strides = extents.rowMajorStrides
        switch attributes.string("mode") ?? "linear" {
        case "nearest": mode = .nearest
        case "linear", "bilinear": mode = .linear
        case "cubic", "bicubic": mode = .cubic
        case let other: throw ExecutionError.attribute("there is no mode \(other) of GridSample")
        }
        let name = attributes.string("padding_mode") ?? "zeros"
        guard let padding = Padding(rawValue: name) else {
            throw ExecutionError.attribute("there is no padding mode \(name) of GridSample")
        }
        self.padding = padding
        isAligned = attributes.flag("align_corners")
    }

    /// Elements that make one value.
    var taps: Int {
        let perAxis = mode == .nearest ? 1 : mode == .linear ? 2 : 4
        return extents.reduce(1) { product, _ in product * perAxis }
    }

    /// Fills `terms` for the place with these coordinates; the first is that of the last axis.
    func locate(_ terms: inout Terms, _ coordinate: (Int) -> Double) {
        terms.offsets.removeAll(keepingCapacity: true)
        terms.weights.removeAll(keepingCapacity: true)
        terms.offsets.append(0)
        terms.weights.append(1)
        for axis in extents.indices {
            let place = placed(coordinate(extents.count - 1 - axis), axis)
            let known = terms.offsets.count
            for (index, weight) in along(axis, place) {
                for term in 0..<known {
                    terms.offsets.append(terms.offsets[term] + index * strides[axis])
                    terms.weights.append(terms.weights[term] * weight)
                }
            }
            terms.offsets.removeFirst(known)
            terms.weights.removeFirst(known)
        }
    }

    private var low: Double { isAligned ? 0 : -0.5 }
    private func high(_ axis: Int) -> Double { Double(extents[axis]) - (isAligned ? 1 : 0.5) }

    /// The place along an axis in elements, kept in or reflected into the image.
    private func placed(_ coordinate: Double, _ axis: Int) -> Double {
        let extent = Double(extents[axis])
        var place = isAligned ? (coordinate + 1) / 2 * (extent - 1) : ((coordinate + 1) * extent - 1) / 2
        // What lies far outside has no index.
        place = place.isNaN ? -1 : min(max(place, -1e9), 1e9)
        if mode == .nearest { place = place.rounded(.toNearestOrEven) }
        if place < low || place > high(axis) {
            switch padding {
            case .zeros: break
            case .border: place = min(max(place, 0), extent - 1)
            case .reflection: place = reflected(place, axis)
            }
        }
        return place
    }

    private func reflected(_ place: Double, _ axis: Int) -> Double {
        let (low, high) = (low, high(axis))
        let range = high - low
        guard range > 0 else { return low }
        let distance = place < low ? low - place : place - high
        if place >= low, place <= high { return place }
        let turns = (distance / range).rounded(.down)
        let rest = distance - turns * range
        let isFromLow = (place < low) == (turns.truncatingRemainder(dividingBy: 2) == 0)
        return isFromLow ? low + rest : high - rest
    }

    private func along(_ axis: Int, _ place: Double) -> [(index: Int, weight: Double)] {
        let floor = place.rounded(.down)
        let (first, x) = (Int(floor), place - floor)
        switch mode {
        case .nearest: return [inside(axis, Int(place), 1)]
        case .linear: return [inside(axis, first, 1 - x), inside(axis, first + 1, x)]
        case .cubic:
            return (-1...2).map { offset in
                let (a, d) = (-0.75, abs(x - Double(offset)))
                let weight =
                    d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
                return inside(axis, first + offset, weight)
            }
        }
    }

    /// An element beyond the image counts as zero, or is another one.
    private func inside(_ axis: Int, _ index: Int, _ weight: Double) -> (index: Int, weight: Double) {
        if (0..<extents[axis]).contains(index) { return (index, weight) }
        let last = extents[axis] - 1
        switch padding {
        case .zeros: return (0, 0)
        case .border: return (min(max(index, 0), last), weight)
        case .reflection: return (min(max(Int(reflected(Double(index), axis)), 0), last), weight)
        }
    }
}
