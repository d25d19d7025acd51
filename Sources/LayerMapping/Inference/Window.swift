internal import ConverterKit

/// A window that moves over spatial axes, as a node's attributes state it.
struct Window {
    let kernel: [Int?]
    let strides: [Int]
    let dilations: [Int]
    let pads: [Int]
    let autoPad: String
    let roundsUp: Bool
    /// Pooling leaves a window out that would start in the end's padding.
    let isPooling: Bool

    init(_ context: RuleContext, kernel: [Int?], isPooling: Bool = false) {
        self.kernel = kernel
        strides = context.ints("strides") ?? []
        dilations = context.ints("dilations") ?? []
        pads = context.ints("pads") ?? []
        autoPad = context.node[attribute: "auto_pad"]?.text ?? "NOTSET"
        roundsUp = context.int("ceil_mode") == 1
        self.isPooling = isPooling
    }

    func stride(_ axis: Int) -> Int { strides.indices.contains(axis) ? max(1, strides[axis]) : 1 }

    func dilation(_ axis: Int) -> Int { dilations.indices.contains(axis) ? max(1, dilations[axis]) : 1 }

    /// The sum of the pads at both ends.
    func pad(_ axis: Int) -> Int {
        guard pads.count == 2 * kernel.count else { return 0 }
        return pads[axis] + pads[axis + kernel.count]
    }

    /// From the first to the last element under the window.
    func span(_ axis: Int) -> Int? { kernel[axis].map { ($0 - 1) * dilation(axis) + 1 } }

    func extents(over input: [Int?]) -> [Int?] {
        input.indices.map { axis in
            guard let extent = input[axis], kernel.indices.contains(axis), let span = span(axis) else { return nil }
            let stride = stride(axis)
            switch autoPad {
            case "SAME_UPPER", "SAME_LOWER": return (extent + stride - 1) / stride
            case "VALID": return max(0, (extent - span) / stride + 1)
            default:
                let room = extent + pad(axis) - span
                guard room >= 0 else { return 0 }
                var count = (roundsUp ? (room + stride - 1) / stride : room / stride) + 1
                if roundsUp, isPooling, pads.count == 2 * kernel.count, (count - 1) * stride >= extent + pads[axis] {
                    count -= 1
                }
                return count
            }
        }
    }
}
