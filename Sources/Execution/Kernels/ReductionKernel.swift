internal import CKernels
internal import Glibc

/// Kernels of the reductions: input 0 to output 0.
enum ReductionKernel {
    struct Made {
        var scratch: Int
        var kernel: Kernel
    }

    static func make(
        _ reduction: Reduction, _ loops: ReductionLoops, _ storage: StorageType, _ element: any Element.Type
    )
        -> Made
    {
        if reduction == .logSumExp {
            func kernel<T: Element>(_: T.Type) -> Kernel { logSumExp(loops, T.self) }
            return Made(scratch: 0, kernel: kernel(element))
        }
        if storage == .float { return loops.isInnerReduced ? rows(reduction, loops) : columns(reduction, loops) }
        if let integer = storage.integer {
            func kernel<T: FixedWidthInteger & Element>(_: T.Type) -> Kernel { integers(reduction, loops, T.self) }
            return Made(scratch: 0, kernel: kernel(integer))
        }
        return Made(scratch: 0, kernel: doubles(reduction, loops))
    }

    /// The innermost axes are reduced: each row to a number. Long reductions of few results go in parts.
    private static func rows(_ reduction: Reduction, _ loops: ReductionLoops) -> Made {
        let gathering = reduction.gathering
        let parts = loops.parts
        let (groups, count, inner) = (loops.groups, loops.reduced, loops.inner)
        let rows = loops.rows
        let splitsRow = rows == 1
        let grain = max(1, BroadcastLoops.grain / max(1, count / parts))
        return Made(scratch: parts > 1 ? groups * parts * 8 : 0) { arguments in
            let x = unsafe arguments.input(0, Float.self)
            let y = unsafe arguments.output(0, Float.self)
            func gather(_ unit: Int) -> Double {
                let (group, part) = unit.quotientAndRemainder(dividingBy: parts)
                let from = unsafe x + ReductionLoops.offset(group, loops.outerKept)
                if splitsRow {
                    let start = part * inner / parts
                    return unsafe gathering.gather(from + start, (part + 1) * inner / parts - start)
                }
                var result = gathering.neutral
                for row in part * rows / parts..<(part + 1) * rows / parts {
                    let offset = ReductionLoops.offset(row, loops.outerReduced)
                    result = unsafe gathering.combine(result, gathering.gather(from + offset, inner))
                }
                return result
            }
            if parts == 1 {
                arguments.pool.split(groups, grain: grain) { range in
                    for group in range { unsafe y[group] = Float(reduction.finish(gather(group), count)) }
                }
                return
            }
            let partial = unsafe arguments.scratch(Double.self)
            arguments.pool.split(groups * parts, grain: grain) { range in
                for unit in range { unsafe partial[unit] = gather(unit) }
            }
            for group in 0..<groups {
                var result = unsafe partial[group * parts]
                for part in 1..<parts { result = unsafe gathering.combine(result, partial[group * parts + part]) }
                unsafe y[group] = Float(reduction.finish(result, count))
            }
        }
    }

    /// The innermost axes are kept: rows are combined element by element.
    private static func columns(_ reduction: Reduction, _ loops: ReductionLoops) -> Made {
        let gathering = reduction.gathering
        let parts = loops.parts
        let (groups, count, inner) = (loops.groups, loops.reduced, loops.inner)
        let rows = loops.rows
        // The innermost reduced axis lies right outside of the run, so that its rows follow each other.
        let dense = loops.outerReduced.last.map { $0.stride == inner ? $0.extent : 1 } ?? 1
        let grain = max(1, BroadcastLoops.grain / max(1, count * inner / parts))
        return Made(scratch: parts > 1 ? groups * parts * inner * 4 : 0) { arguments in
            let x = unsafe arguments.input(0, Float.self)
            let y = unsafe arguments.output(0, Float.self)
            let partial = unsafe parts > 1 ? arguments.scratch(Float.self) : y
            arguments.pool.split(groups * parts, grain: grain) { range in
                for unit in range {
                    let (group, part) = unit.quotientAndRemainder(dividingBy: parts)
                    let from = unsafe x + ReductionLoops.offset(group, loops.outerKept)
                    let to = unsafe partial + unit * inner
                    unsafe to.update(repeating: Float(gathering.neutral), count: inner)
                    var row = part * rows / parts
                    let end = (part + 1) * rows / parts
                    while row < end {
                        let length = min(dense - row % dense, end - row)
                        let offset = ReductionLoops.offset(row, loops.outerReduced)
                        unsafe gathering.gather(into: to, from + offset, rows: length, inner)
                        row += length
                    }
                }
            }
            arguments.pool.split(groups, grain: max(1, BroadcastLoops.grain / max(1, inner))) { range in
                for group in range {
                    let to = unsafe y + group * inner
                    if parts > 1 {
                        let from = unsafe partial + group * parts * inner
                        unsafe to.update(from: from, count: inner)
                        for part in 1..<parts { unsafe gathering.join(into: to, from + part * inner, inner) }
                    }
                    unsafe finish(reduction, to, inner, count)
                }
            }
        }
    }

    private static func finish(_ reduction: Reduction, _ y: UnsafeMutablePointer<Float>, _ length: Int, _ count: Int) {
        switch reduction {
        case .mean: unsafe rene_div_scalar(y, y, Float(count), length)
        case .l2: unsafe rene_sqrt(y, y, length)
        case .logSum: unsafe rene_log(y, y, length)
        default: break
        }
    }

    /// Calls `body` with the number of each result and then, through the function it is given, with the place of each
    /// element that goes into it, in order.
    static func forEachResult(
        _ loops: ReductionLoops, _ pool: ThreadPool, _ body: (Int, (_ each: (Int) -> Void) -> Void) -> Void
    ) {
        let inner = loops.inner
        let length = loops.isInnerReduced ? inner : 1
        pool.split(loops.kept, grain: max(1, BroadcastLoops.grain / max(1, loops.reduced))) { range in
            for result in range {
                let (group, column) =
                    loops.isInnerReduced ? (result, 0) : result.quotientAndRemainder(dividingBy: inner)
                let start = ReductionLoops.offset(group, loops.outerKept) + column
                body(result) { each in
                    for row in 0..<loops.rows {
                        let offset = start + ReductionLoops.offset(row, loops.outerReduced)
                        for index in 0..<length { each(offset + index) }
                    }
                }
            }
        }
    }

    private static func doubles(_ reduction: Reduction, _ loops: ReductionLoops) -> Kernel {
        let gathering = reduction.gathering
        return { arguments in
            let x = unsafe arguments.input(0, Double.self)
            let y = unsafe arguments.output(0, Double.self)
            forEachResult(loops, arguments.pool) { result, elements in
                var gathered = gathering.neutral
                elements { gathered = unsafe gathering.combine(gathered, gathering.term(x[$0])) }
                unsafe y[result] = reduction.finish(gathered, loops.reduced)
            }
        }
    }

    /// In the type's own arithmetic, which wraps; a mean goes towards zero.
    private static func integers<T: FixedWidthInteger & Element>(
        _ reduction: Reduction, _ loops: ReductionLoops, _: T.Type
    ) -> Kernel {
        let gathering = reduction.gathering
        return { arguments in
            let x = unsafe arguments.input(0, T.self)
            let y = unsafe arguments.output(0, T.self)
            forEachResult(loops, arguments.pool) { result, elements in
                var gathered: T =
                    switch gathering {
                    case .sum, .magnitudes, .squares: 0
                    case .product: 1
                    case .maximum: .min
                    case .minimum: .max
                    }
                elements { index in
                    let value = unsafe x[index]
                    switch gathering {
                    case .sum: gathered &+= value
                    case .magnitudes: gathered &+= value < 0 ? 0 &- value : value
                    case .squares: gathered &+= value &* value
                    case .product: gathered &*= value
                    case .maximum: gathered = max(gathered, value)
                    case .minimum: gathered = min(gathered, value)
                    }
                }
                switch reduction {
                case .mean: unsafe y[result] = T.dividing(gathered, T(clamping: loops.reduced))
                case .l2, .logSum:
                    unsafe y[result] = T(clamping: reduction.finish(Double(gathered), loops.reduced))
                default: unsafe y[result] = gathered
                }
            }
        }
    }

    /// max + ln Σ e^(x − max), in double precision.
    private static func logSumExp<T: Element>(_ loops: ReductionLoops, _: T.Type) -> Kernel {
        { arguments in
            let x = unsafe arguments.input(0, T.self)
            let y = unsafe arguments.output(0, T.self)
            forEachResult(loops, arguments.pool) { result, elements in
                var top = -Double.infinity
                elements { top = unsafe Reduction.Gathering.maximum.combine(top, x[$0].asDouble) }
                guard top.isFinite else {
                    unsafe y[result] = T(clamping: top)
                    return
                }
                var sum = 0.0
                elements { sum += unsafe exp(x[$0].asDouble - top) }
                unsafe y[result] = T(clamping: top + log(sum))
            }
        }
    }
}
