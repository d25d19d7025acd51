internal import ConverterKit

/// Which elements of an input plane a window covers: for each tap and each place of the window the offset, or −1 outside.
struct WindowTable: Sendable {
    let taps: Int
    let places: Int
    /// By tap, then by place.
    let offsets: [Int32]

    /// Throws `execution.shape` when there are too many.
    init(
        input: [Int], output: [Int], kernel: [Int], strides: [Int], dilations: [Int], padsBefore: [Int]
    ) throws {
        (taps, places) = (try kernel.elementCount(), try output.elementCount())
        guard try (output + kernel).elementCount() < 1 << 30, try input.elementCount() < Int(Int32.max) else {
            throw ExecutionError.shape("a window over \(input) is too large")
        }
        let steps = input.rowMajorStrides
        var offsets: [Int32] = []
        offsets.reserveCapacity(taps * places)
        for tap in 0..<taps {
            let shift = Self.coordinates(tap, kernel)
            for place in 0..<places {
                let position = Self.coordinates(place, output)
                var offset = 0
                for axis in input.indices {
                    let index = position[axis] * strides[axis] + shift[axis] * dilations[axis] - padsBefore[axis]
                    guard index >= 0, index < input[axis] else {
                        offset = -1
                        break
                    }
                    offset += index * steps[axis]
                }
                offsets.append(Int32(offset))
            }
        }
        self.offsets = offsets
    }

    init(_ shape: ConvolutionShape) throws {
        try self.init(
            input: shape.input, output: shape.output, kernel: shape.kernel, strides: shape.strides,
            dilations: shape.dilations, padsBefore: shape.padsBefore)
    }

    private static func coordinates(_ index: Int, _ shape: [Int]) -> [Int] {
        var rest = index
        var result = shape
        for axis in shape.indices.reversed() {
            result[axis] = rest % shape[axis]
            rest /= shape[axis]
        }
        return result
    }
}
