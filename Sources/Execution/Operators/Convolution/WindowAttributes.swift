internal import ConverterKit

/// The attributes of operators that move a window over the spatial axes, checked and with their defaults filled in.
struct WindowAttributes {
    let kernel: [Int]
    let strides: [Int]
    let dilations: [Int]
    private let stated: [Int]?
    private let mode: Mode

    enum Mode: String {
        case explicit = "NOTSET"
        case upper = "SAME_UPPER"
        case lower = "SAME_LOWER"
        case none = "VALID"
    }

    /// Numbers beyond it are no extents; sums and products of a few of those below do not overflow.
    static let limit = 1 << 28

    /// - Parameter kernel: The window's extents where `kernel_shape` is left out.
    init(_ attributes: AttributeList, rank: Int, kernel: [Int]? = nil) throws {
        func values(_ name: String, count: Int, from least: Int, otherwise value: [Int]?) throws -> [Int]? {
            guard let values = attributes.ints(name), !values.isEmpty else { return value }
            guard values.count == count, values.allSatisfy({ $0 >= least && $0 < Self.limit }) else {
                throw ExecutionError.attribute("\(name) is \(values), for \(rank) axes")
            }
            return values
        }
        let ones = [Int](repeating: 1, count: rank)
        guard let extents = try values("kernel_shape", count: rank, from: 1, otherwise: kernel) else {
            throw ExecutionError.attribute("kernel_shape is left out")
        }
        if let kernel, kernel != extents {
            throw ExecutionError.shape("kernel_shape is \(extents), and the weight's is \(kernel)")
        }
        self.kernel = extents
        strides = try values("strides", count: rank, from: 1, otherwise: nil) ?? ones
        dilations = try values("dilations", count: rank, from: 1, otherwise: nil) ?? ones
        stated = try values("pads", count: 2 * rank, from: 0, otherwise: nil)
        let name = attributes.string("auto_pad") ?? ""
        guard let mode = Mode(rawValue: name.isEmpty ? "NOTSET" : name) else {
            throw ExecutionError.attribute("auto_pad is \(name)")
        }
        self.mode = mode
    }

    var isExplicit: Bool { mode == .explicit }
    var isUpper: Bool { mode == .upper }
    var isSame: Bool { mode == .upper || mode == .lower }
    /// Pads as stated, zeros where none are.
    var explicitPads: [Int] { mode == .explicit ? stated ?? zeros : zeros }
    private var zeros: [Int] { [Int](repeating: 0, count: 2 * kernel.count) }

    /// Pixels that the window reaches over along an axis.
    func reach(_ axis: Int) throws -> Int {
        let (product, overflow) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilations[axis])
        guard !overflow, product < Self.limit else { throw ExecutionError.attribute("the window is too large") }
        return product + 1
    }

    /// Pads for an input: as many as `auto_pad` asks for, before the axes and after them.
    func pads(_ input: [Int]) throws -> (before: [Int], after: [Int]) {
        let rank = kernel.count
        guard isSame else { return (Array(explicitPads[..<rank]), Array(explicitPads[rank...])) }
        var (before, after): ([Int], [Int]) = ([], [])
        for axis in 0..<rank {
            let output = (input[axis] + strides[axis] - 1) / strides[axis]
            let total = try max(0, (output - 1) * strides[axis] + reach(axis) - input[axis])
            before.append(mode == .upper ? total / 2 : total - total / 2)
            after.append(total - (before.last ?? 0))
        }
        return (before, after)
    }
}

extension ConvolutionShape {
    /// Of a convolution with the attributes of ONNX's Conv, for input and weight of these extents. `input` and `output`
    /// stand for the spatial extents where a gradient has not got them.
    init(_ attributes: AttributeList, input x: [Int], weight: [Int], output: [Int]? = nil) throws {
        guard x.count >= 3, weight.count == x.count, x.count <= 5 else {
            throw ExecutionError.shape("a convolution of \(x) with a weight of \(weight)")
        }
        let window = try WindowAttributes(attributes, rank: x.count - 2, kernel: Array(weight[2...]))
        let groups = attributes.int("group", otherwise: 1)
        let (channels, overflow) = weight[1].multipliedReportingOverflow(by: groups)
        guard !overflow, channels == x[1] else {
            throw ExecutionError.shape("a convolution of \(x) with a weight of \(weight) in \(groups) groups")
        }
        let spatial = Array(x[2...])
        guard spatial.allSatisfy({ $0 < WindowAttributes.limit }) else {
            throw ExecutionError.shape("a convolution of \(x)")
        }
        let pads = try window.pads(spatial)
        try self.init(
            batch: x[0], inChannels: x[1], outChannels: weight[0], groups: groups, input: spatial,
            kernel: window.kernel, strides: window.strides, dilations: window.dilations, padsBefore: pads.before,
            padsAfter: pads.after, output: output ?? attributes.ints("output_shape"))
    }

    /// All of the geometry as attributes; other operators of convolutions are emitted with these.
    var attributes: AttributeList {
        [
            "kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": padsBefore + padsAfter,
            "group": groups,
        ]
    }

    var inputShape: [Int] { [batch, inChannels] + input }
    var weightShape: [Int] { [outChannels, inChannelsPerGroup] + kernel }
    var outputShape: [Int] { [batch, outChannels] + output }
}
