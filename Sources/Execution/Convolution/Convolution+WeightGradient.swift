internal import CKernels

extension Convolution {
    /// `dw` is overwritten. Each part sums over its images, a few at a time so that their planes stay in the cache; the
    /// parts' sums are added in their order. Cost: `shape.macs`.
    @unsafe func weightGradient(
        _ dy: UnsafePointer<Float>, input x: UnsafePointer<Float>, into dw: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) {
        parts = pool.width
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        let blocks = (outputs + outBlock - 1) / outBlock
        // Rows beyond the last channel are planes of zeros.
        let gridRow = layout.length + slack
        let gridImage = blocks * outBlock * gridRow
        let planeImage = inputs * layout.channel
        let together = max(1, min(Self.cachedElements / (gridImage + planeImage), (shape.batch + parts - 1) / parts))
        reserve(&forwardGradientPlanes, together * planeImage + layout.length + slack)
        reserve(&gradientPlanes, together * gridImage)
        let blockSize = inputs * taps * outBlock
        let sumCount = shape.groups * blocks * blockSize
        reserve(&gradientSums, sumCount)
        pool.run { part, _ in
            let (planes, grids) = unsafe (forwardGradientPlanes[part].base, gradientPlanes[part].base)
            let sums = unsafe gradientSums[part].base
            unsafe sums.update(repeating: 0, count: sumCount)
            let all = images(of: part)
            for group in 0..<shape.groups {
                for first in stride(from: all.lowerBound, to: all.upperBound, by: together) {
                    let count = min(together, all.upperBound - first)
                    for index in 0..<count {
                        for channel in 0..<inputs {
                            let from =
                                ((first + index) * shape.inChannels + group * inputs + channel) * shape.inputPlane
                            unsafe inputRows.scatter(
                                x + from, into: planes + index * planeImage + channel * layout.channel)
                        }
                        for output in 0..<outputs {
                            let from =
                                ((first + index) * shape.outChannels + group * outputs + output) * shape.outputPlane
                            unsafe outputRows.scatter(
                                dy + from, into: grids + index * gridImage + output * gridRow)
                        }
                    }
                    for block in 0..<blocks {
                        for channel in 0..<inputs {
                            unsafe rene_correlation_gradient(
                                sums + (group * blocks + block) * blockSize + channel * taps * outBlock,
                                Int32(outBlock), Int32(count), grids + block * outBlock * gridRow, gridImage, gridRow,
                                planes + channel * layout.channel, planeImage, layout.offsets, Int32(taps),
                                layout.length)
                        }
                    }
                }
            }
        }
        unsafe unpack(into: dw, blocks: blocks, blockSize: blockSize)
    }

    /// Elements of the planes of images taken together: a megabyte.
    private static let cachedElements = 1 << 18

    @unsafe private func unpack(into dw: UnsafeMutablePointer<Float>, blocks: Int, blockSize: Int) {
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        for group in 0..<shape.groups {
            for output in 0..<outputs {
                let (block, row) = output.quotientAndRemainder(dividingBy: outBlock)
                let from = (group * blocks + block) * blockSize + row
                let to = unsafe dw + (group * outputs + output) * inputs * taps
                for index in 0..<inputs * taps {
                    unsafe to[index] = gradientSums.reduce(0) { unsafe $0 + $1.base[from + index * outBlock] }
                }
            }
        }
    }
}
