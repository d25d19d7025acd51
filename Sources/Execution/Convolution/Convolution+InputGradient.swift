internal import CKernels

extension Convolution {
    /// `dx` is overwritten. For each phase of the input, the correlation of the output's gradient with the phase's taps,
    /// read backwards. Cost: `shape.macs`.
    @unsafe func inputGradient(
        _ dy: UnsafePointer<Float>, weight: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) {
        parts = pool.width
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        let blocks = (inputs + inBlock - 1) / inBlock
        let phases = (0..<layout.phases).map { phase in (0..<taps).filter { layout.tapPhases[$0] == phase } }
        // Before the first element lie as many zeros as a tap reaches back.
        let margin = layout.largestShift
        let shifts = phases.map { $0.map { margin - layout.tapShifts[$0] } }
        let sizes = phases.map { outputs * $0.count * inBlock }
        let groupSize = blocks * sizes.reduce(0, +)
        unsafe packBackward(weight, phases: phases, blocks: blocks, groupSize: groupSize)
        let channel = margin + layout.plane
        reserve(&backwardPlanes, outputs * channel + margin + layout.plane + slack)
        let rowStride = layout.channel + slack
        reserve(&backwardSums, inBlock * rowStride)
        let reachesAll = inputRows.count == shape.inputPlane
        let shares = shares(ofBlocks: blocks)
        let items = shape.batch * shape.groups * shares
        let blockSize = sizes.reduce(0, +)
        pool.run { part, parts in
            let (planes, sums) = unsafe (backwardPlanes[part].base, backwardSums[part].base)
            for item in items * part / parts..<items * (part + 1) / parts {
                let (imageGroup, share) = item.quotientAndRemainder(dividingBy: shares)
                let (image, group) = imageGroup.quotientAndRemainder(dividingBy: shape.groups)
                for output in 0..<outputs {
                    let from = (image * shape.outChannels + group * outputs + output) * shape.outputPlane
                    unsafe outputRows.scatter(dy + from, into: planes + output * channel + margin)
                }
                for block in blocks * share / shares..<blocks * (share + 1) / shares {
                    var place = group * groupSize + block * blockSize
                    for phase in phases.indices {
                        // What is written beyond a phase is overwritten by the next one. Without taps it is zero.
                        unsafe rene_correlate(
                            sums + phase * layout.plane, rowStride, Int32(inBlock), planes, channel, shifts[phase],
                            Int32(phases[phase].count), Int32(outputs), backwardPacked.base + place, layout.plane)
                        place += sizes[phase]
                    }
                    for row in 0..<min(inBlock, inputs - block * inBlock) {
                        let input = group * inputs + block * inBlock + row
                        let to = (image * shape.inChannels + input) * shape.inputPlane
                        if !reachesAll { unsafe (dx + to).update(repeating: 0, count: shape.inputPlane) }
                        unsafe inputRows.gather(sums + row * rowStride, into: dx + to)
                    }
                }
            }
        }
    }

    /// `[group][block][phase][output channel][tap of the phase][row of the block]`.
    @unsafe private func packBackward(
        _ weight: UnsafePointer<Float>, phases: [[Int]], blocks: Int, groupSize: Int
    ) {
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        let count = shape.groups * groupSize
        if backwardPacked.count != count { backwardPacked = Scratch(count: count) }
        for group in 0..<shape.groups {
            for input in 0..<inputs {
                let (block, row) = input.quotientAndRemainder(dividingBy: inBlock)
                var place = group * groupSize + block * (groupSize / blocks) + row
                for phase in phases {
                    for output in 0..<outputs {
                        let from = unsafe weight + ((group * outputs + output) * inputs + input) * taps
                        for tap in phase {
                            unsafe backwardPacked.base[place] = from[tap]
                            place += inBlock
                        }
                    }
                }
            }
        }
    }
}
