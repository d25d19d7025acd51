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
        let (phases, shifts) = (backwardTaps.phases, backwardTaps.shifts)
        let margin = layout.largestShift
        let blockSize = outputs * taps * inBlock
        let groupSize = blocks * blockSize
        unsafe packBackward(weight, blocks: blocks, groupSize: groupSize)
        let channel = margin + layout.plane
        reserve(&backwardPlanes, outputs * channel + margin + layout.plane + slack)
        let rowStride = layout.channel + slack
        reserve(&backwardSums, inBlock * rowStride)
        let reachesAll = inputRows.count == shape.inputPlane
        let shares = shares(ofBlocks: blocks)
        let items = shape.batch * shape.groups * shares
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
                        place += outputs * phases[phase].count * inBlock
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
    @unsafe private func packBackward(_ weight: UnsafePointer<Float>, blocks: Int, groupSize: Int) {
        let (inputs, outputs, taps) = (shape.inChannelsPerGroup, shape.outChannelsPerGroup, shape.taps)
        let count = shape.groups * groupSize
        if backwardPacked.count != count { backwardPacked = Scratch(count: count) }
        for group in 0..<shape.groups {
            for input in 0..<inputs {
                let (block, row) = input.quotientAndRemainder(dividingBy: inBlock)
                var place = group * groupSize + block * (groupSize / blocks) + row
                for phase in backwardTaps.phases {
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

/// The taps of each phase of the input, and how far from a plane's begin each meets the output's gradient: before its
/// first element lie as many zeros as a tap reaches back.
struct BackwardTaps {
    let phases: [[Int]]
    let shifts: [[Int]]

    init(_ layout: PlaneLayout) {
        phases = (0..<layout.phases).map { phase in
            layout.tapPhases.indices.filter { layout.tapPhases[$0] == phase }
        }
        shifts = phases.map { $0.map { layout.largestShift - layout.tapShifts[$0] } }
    }
}
