internal import CKernels

extension Convolution {
    /// `y` is overwritten. Cost: `shape.macs`.
    @unsafe func forward(
        _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        into y: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) {
        parts = pool.width
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        let blocks = (outputs + outBlock - 1) / outBlock
        let blockSize = inputs * taps * outBlock
        unsafe packForward(weight, blocks: blocks, blockSize: blockSize)
        let rowStride = layout.length + slack
        let planeCount = inputs * layout.channel + layout.length + slack
        reserve(&forwardPlanes, planeCount)
        reserve(&forwardSums, outBlock * rowStride)
        let shares = shares(ofBlocks: blocks)
        let items = shape.batch * shape.groups * shares
        pool.run { part, parts in
            let (planes, sums) = unsafe (forwardPlanes[part].base, forwardSums[part].base)
            for item in items * part / parts..<items * (part + 1) / parts {
                let (imageGroup, share) = item.quotientAndRemainder(dividingBy: shares)
                let (image, group) = imageGroup.quotientAndRemainder(dividingBy: shape.groups)
                for channel in 0..<inputs {
                    let from = (image * shape.inChannels + group * inputs + channel) * shape.inputPlane
                    unsafe inputRows.scatter(x + from, into: planes + channel * layout.channel)
                }
                for block in blocks * share / shares..<blocks * (share + 1) / shares {
                    unsafe rene_correlate(
                        sums, rowStride, Int32(outBlock), planes, layout.channel, layout.offsets, Int32(taps),
                        Int32(inputs), packed.base + (group * blocks + block) * blockSize, layout.length)
                    for row in 0..<min(outBlock, outputs - block * outBlock) {
                        let channel = group * outputs + block * outBlock + row
                        let to = (image * shape.outChannels + channel) * shape.outputPlane
                        unsafe outputRows.gather(
                            sums + row * rowStride, into: y + to, adding: bias?[channel] ?? 0)
                    }
                }
            }
        }
    }

    /// `[group][block][channel][tap][row of the block]`; rows beyond the last channel are zero.
    @unsafe private func packForward(_ weight: UnsafePointer<Float>, blocks: Int, blockSize: Int) {
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        let count = shape.groups * blocks * blockSize
        if packed.count != count { packed = Scratch(count: count) }
        for group in 0..<shape.groups {
            for output in 0..<outputs {
                let (block, row) = output.quotientAndRemainder(dividingBy: outBlock)
                let to = unsafe packed.base + (group * blocks + block) * blockSize + row
                let from = unsafe weight + (group * outputs + output) * inputs * taps
                for index in 0..<inputs * taps { unsafe to[index * outBlock] = from[index] }
            }
        }
    }
}
