public import ConverterKit

/// The extents of a convolution over one, two or three axes, as ONNX's Conv has them:
///
///     Y[n, o, p] = Σ_c Σ_k W[o, c, k] · X[n, g·C/G + c, p·stride + k·dilation − pad],   g the group of o
///
/// X is `[batch, inChannels, input…]`, W `[outChannels, inChannels / groups, kernel…]`, Y `[batch, outChannels, output…]`.
public struct ConvolutionShape: Sendable, Hashable {
    public let batch: Int
    public let inChannels: Int
    public let outChannels: Int
    public let groups: Int
    public let input: [Int]
    public let kernel: [Int]
    public let strides: [Int]
    public let dilations: [Int]
    /// Zeros before and after each axis.
    public let padsBefore: [Int]
    public let padsAfter: [Int]
    public let output: [Int]

    /// Throws `execution.shape` when the extents do not fit together or their products overflow. `output` may be less
    /// than what the other extents give; the last positions of each axis are left out then.
    public init(
        batch: Int, inChannels: Int, outChannels: Int, groups: Int = 1, input: [Int], kernel: [Int],
        strides: [Int]? = nil, dilations: [Int]? = nil, padsBefore: [Int]? = nil, padsAfter: [Int]? = nil,
        output stated: [Int]? = nil
    ) throws(ConversionError) {
        let ones = [Int](repeating: 1, count: input.count)
        let zeros = [Int](repeating: 0, count: input.count)
        self.batch = batch
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.groups = groups
        self.input = input
        self.kernel = kernel
        self.strides = strides ?? ones
        self.dilations = dilations ?? ones
        self.padsBefore = padsBefore ?? zeros
        self.padsAfter = padsAfter ?? zeros
        let limit = 1 << 31
        let axes = [kernel, self.strides, self.dilations, self.padsBefore, self.padsAfter]
        guard (1...3).contains(input.count), axes.allSatisfy({ $0.count == input.count }) else {
            throw Self.misfit("the axes of input, kernel, strides, dilations and pads differ in number")
        }
        guard batch >= 0, inChannels > 0, outChannels > 0, groups > 0, inChannels % groups == 0,
            outChannels % groups == 0, max(batch, inChannels, outChannels) < limit
        else {
            throw Self.misfit("\(groups) groups do not divide \(inChannels) input and \(outChannels) output channels")
        }
        var output: [Int] = []
        for axis in input.indices {
            let (stride, dilation) = (self.strides[axis], self.dilations[axis])
            let (before, after) = (self.padsBefore[axis], self.padsAfter[axis])
            guard input[axis] > 0, kernel[axis] > 0, stride > 0, dilation > 0, before >= 0, after >= 0,
                max(input[axis], kernel[axis], stride, max(dilation, before, after)) < limit
            else { throw Self.misfit("an extent of axis \(axis) is out of range") }
            let reach = (kernel[axis] - 1) * dilation + 1
            let padded = input[axis] + before + after
            guard padded >= reach else {
                throw Self.misfit("the kernel is larger than the padded input of axis \(axis)")
            }
            output.append((padded - reach) / stride + 1)
        }
        if let stated {
            guard stated.count == output.count, zip(stated, output).allSatisfy({ $0 > 0 && $0 <= $1 }) else {
                throw Self.misfit("an output of \(stated), where there are \(output) positions")
            }
            output = stated
        }
        self.output = output
        let counts = [
            [batch, inChannels] + input, [batch, outChannels] + output, [outChannels, inChannels / groups] + kernel,
        ]
        for extents in counts {
            var product = 1
            for extent in extents {
                let (next, overflow) = product.multipliedReportingOverflow(by: extent)
                guard !overflow, next <= 1 << 40 else { throw Self.misfit("a tensor is too large") }
                product = next
            }
        }
    }

    public var inputCount: Int { batch * inChannels * inputPlane }
    public var weightCount: Int { outChannels * inChannelsPerGroup * taps }
    public var outputCount: Int { batch * outChannels * outputPlane }
    /// Multiplications of the forward pass; each of the two gradients has as many.
    public var macs: Int { outputCount * inChannelsPerGroup * taps }

    var inChannelsPerGroup: Int { inChannels / groups }
    var outChannelsPerGroup: Int { outChannels / groups }
    var taps: Int { kernel.reduce(1, *) }
    var inputPlane: Int { input.reduce(1, *) }
    var outputPlane: Int { output.reduce(1, *) }

    private static func misfit(_ what: String) -> ConversionError {
        ConversionError(
            "execution.shape", .badInput, "a convolution's extents do not fit: \(what)",
            remedy: "Check the shapes of the model's inputs and weights.")
    }
}
