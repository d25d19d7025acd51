/// A convolution and its transpose by the definitions, over any number of spatial axes.
struct DenseWindow {
    var strides: [Int]?
    var dilations: [Int]?
    var pads: [Int]?
    var autoPad: String?
    var outputPadding: [Int]?
    var groups: Int

    private func begins(_ input: [Int], _ kernel: [Int], _ output: [Int], transposed: Bool) -> [Int] {
        input.indices.map { axis in
            let stride = strides?[axis] ?? 1
            let span = (kernel[axis] - 1) * (dilations?[axis] ?? 1) + 1
            guard let autoPad, autoPad.hasPrefix("SAME") else { return pads?[axis] ?? 0 }
            let total =
                transposed
                ? (input[axis] - 1) * stride + span - output[axis]
                : max(0, (output[axis] - 1) * stride + span - input[axis])
            return autoPad == "SAME_UPPER" ? total / 2 : total - total / 2
        }
    }

    func convolve(_ input: Dense, _ weight: Dense) -> Dense {
        let extents = Array(input.shape[2...])
        let kernel = Array(weight.shape[2...])
        let output = extents.indices.map { axis in
            let stride = strides?[axis] ?? 1
            if autoPad?.hasPrefix("SAME") == true { return (extents[axis] + stride - 1) / stride }
            let span = (kernel[axis] - 1) * (dilations?[axis] ?? 1) + 1
            let pad = pads.map { $0[axis] + $0[axis + extents.count] } ?? 0
            return (extents[axis] + pad - span) / stride + 1
        }
        let begin = begins(extents, kernel, output, transposed: false)
        var result = Dense([input.shape[0], weight.shape[0]] + output, [])
        result.values = [Float](repeating: 0, count: result.count)
        let perGroup = weight.shape[1]
        let outPerGroup = weight.shape[0] / groups
        visit(output, kernel) { place, position, tap, tapIndex in
            guard let source = self.source(position, tap, begin, extents) else { return }
            for out in 0..<weight.shape[0] {
                for channel in 0..<perGroup {
                    let from = out / outPerGroup * perGroup + channel
                    result.values[out * output.reduce(1, *) + place] +=
                        input.values[from * extents.reduce(1, *) + source]
                        * weight.values[(out * perGroup + channel) * kernel.reduce(1, *) + tapIndex]
                }
            }
        }
        return result
    }

    func convolveTransposed(_ input: Dense, _ weight: Dense) -> Dense {
        let extents = Array(input.shape[2...])
        let kernel = Array(weight.shape[2...])
        let output = extents.indices.map { axis in
            let stride = strides?[axis] ?? 1
            if autoPad?.hasPrefix("SAME") == true { return extents[axis] * stride }
            let span = (kernel[axis] - 1) * (dilations?[axis] ?? 1) + 1
            let pad = pads.map { $0[axis] + $0[axis + extents.count] } ?? 0
            return stride * (extents[axis] - 1) + (outputPadding?[axis] ?? 0) + span - pad
        }
        let begin = begins(extents, kernel, output, transposed: true)
        let perGroup = weight.shape[1]
        let inPerGroup = weight.shape[0] / groups
        var result = Dense([input.shape[0], perGroup * groups] + output, [])
        result.values = [Float](repeating: 0, count: result.count)
        visit(extents, kernel) { place, position, tap, tapIndex in
            guard let target = self.source(position, tap, begin, output) else { return }
            for channel in 0..<weight.shape[0] {
                for out in 0..<perGroup {
                    let to = channel / inPerGroup * perGroup + out
                    result.values[to * output.reduce(1, *) + target] +=
                        input.values[channel * extents.reduce(1, *) + place]
                        * weight.values[(channel * perGroup + out) * kernel.reduce(1, *) + tapIndex]
                }
            }
        }
        return result
    }

    /// The index of `position · stride − begin + tap · dilation` within `extents`; `nil` outside.
    private func source(_ position: [Int], _ tap: [Int], _ begin: [Int], _ extents: [Int]) -> Int? {
        var index = 0
        for axis in extents.indices {
            let at = position[axis] * (strides?[axis] ?? 1) - begin[axis] + tap[axis] * (dilations?[axis] ?? 1)
            guard at >= 0, at < extents[axis] else { return nil }
            index = index * extents[axis] + at
        }
        return index
    }

    private func visit(_ places: [Int], _ taps: [Int], _ body: (Int, [Int], [Int], Int) -> Void) {
        for place in 0..<places.reduce(1, *) {
            for tap in 0..<taps.reduce(1, *) {
                body(place, Self.position(place, places), Self.position(tap, taps), tap)
            }
        }
    }

    private static func position(_ index: Int, _ extents: [Int]) -> [Int] {
        var rest = index
        return extents.reversed().map { extent in
            defer { rest /= extent }
            return rest % extent
        }.reversed()
    }
}
