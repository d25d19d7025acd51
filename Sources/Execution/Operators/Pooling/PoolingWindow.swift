internal import ConverterKit

/// Where a window of a pooling operator meets the pixels of a plane, as runs along the last axis: element `i` of a run is
/// the output at `output + i` and the pixel at `input + i · step`. Any number of axes.
struct PoolingWindow: Sendable {
    struct Run: Sendable {
        var output: Int
        var input: Int
        var count: Int
    }

    let input: [Int]
    let output: [Int]
    let runs: [Run]
    let step: Int
    /// By output position: pixels of its window that are not padding, and pixels of it within the padded image.
    let counts: [Int]
    let paddedCounts: [Int]
    let taps: Int
    var inputPlane: Int { input.reduce(1, *) }
    var outputPlane: Int { output.reduce(1, *) }

    /// Runs of one plane beyond this number would not be worth a table.
    private static let mostRuns = 1 << 24

    /// - Parameter x: `[batch, channels, axes…]`.
    init(_ attributes: AttributeList, input x: [Int]) throws {
        guard x.count >= 3 else { throw ExecutionError.shape("pooling of \(x)") }
        let window = try WindowAttributes(attributes, rank: x.count - 2)
        let input = Array(x[2...])
        guard input.allSatisfy({ $0 > 0 && $0 < WindowAttributes.limit }) else {
            throw ExecutionError.shape("pooling of \(x)")
        }
        let pads = try window.pads(input)
        let ceils = attributes.flag("ceil_mode")
        var output: [Int] = []
        for axis in input.indices {
            let (stride, before) = (window.strides[axis], pads.before[axis])
            if window.isSame {
                output.append((input[axis] + stride - 1) / stride)
                continue
            }
            let room = try input[axis] + before + pads.after[axis] - window.reach(axis)
            guard room >= 0 else { throw ExecutionError.shape("a window of \(window.kernel) over \(x)") }
            var extent = (room + (ceils ? stride - 1 : 0)) / stride + 1
            // The last window begins in the image or in the padding before it.
            if ceils, (extent - 1) * stride >= input[axis] + before { extent -= 1 }
            output.append(extent)
        }
        (self.input, self.output, step) = (input, output, window.strides[input.count - 1])
        taps = try window.kernel.elementCount()
        let last = input.count - 1
        let rows = try Array(output.dropLast()).elementCount()
        guard rows.multipliedReportingOverflow(by: taps).overflow == false, rows * taps < Self.mostRuns,
            taps <= 1 << 20,
            try output.elementCount() < Self.mostRuns
        else { throw ExecutionError.shape("a window of \(window.kernel) over \(x) is too large") }
        let tuples = window.kernel.reduce([[]]) { tuples, extent in
            tuples.flatMap { tuple in (0..<extent).map { tuple + [$0] } }
        }
        let strides = input.rowMajorStrides
        var runs: [Run] = []
        var counts = [Int](repeating: 0, count: rows * output[last])
        var paddedCounts = counts
        var outer = [Int](repeating: 0, count: last)
        for row in 0..<rows {
            for tap in tuples {
                var (source, isInside, isPadded) = (0, true, true)
                for axis in 0..<last {
                    let pixel =
                        outer[axis] * window.strides[axis] + tap[axis] * window.dilations[axis] - pads.before[axis]
                    isInside = isInside && pixel >= 0 && pixel < input[axis]
                    isPadded = isPadded && pixel < input[axis] + pads.after[axis]
                    source += pixel * strides[axis]
                }
                let start = tap[last] * window.dilations[last] - pads.before[last]
                let (low, high) = Self.positions(start, step, input[last], output[last])
                let padded = Self.positions(start, step, input[last] + pads.after[last], output[last]).upperBound
                if isInside, low < high {
                    runs.append(
                        Run(output: row * output[last] + low, input: source + start + low * step, count: high - low))
                    for index in low..<high { counts[row * output[last] + index] += 1 }
                }
                if isPadded { for index in 0..<padded { paddedCounts[row * output[last] + index] += 1 } }
            }
            for axis in (0..<last).reversed() {
                outer[axis] += 1
                if outer[axis] < output[axis] { break }
                outer[axis] = 0
            }
        }
        (self.runs, self.counts, self.paddedCounts) = (runs, counts, paddedCounts)
    }

    /// Positions at which `start + position · step` is from 0 to below `extent`.
    private static func positions(_ start: Int, _ step: Int, _ extent: Int, _ count: Int) -> (
        lowerBound: Int, upperBound: Int
    ) {
        let low = start >= 0 ? 0 : (-start + step - 1) / step
        let high = extent > start ? (extent - start + step - 1) / step : 0
        return (low, min(high, count))
    }

    /// The largest pixel of each window; the least number where there is none.
    @specialized(where T == Float)
    @specialized(where T == UInt8)
    @specialized(where T == Int8)
    @unsafe func maxima<T: Element>(of x: UnsafePointer<T>, into y: UnsafeMutablePointer<T>) {
        unsafe y.update(repeating: T(clamping: -.infinity), count: counts.count)
        for run in runs {
            let (from, to) = unsafe (x + run.input, y + run.output)
            if step == 1 {
                for index in 0..<run.count { unsafe to[index] = from[index] > to[index] ? from[index] : to[index] }
            } else {
                for index in 0..<run.count {
                    let value = unsafe from[index * step]
                    unsafe to[index] = value > to[index] ? value : to[index]
                }
            }
        }
    }

    /// The largest pixel of each window, and which it is: the first of equal ones; −1 where there is none.
    @specialized(where T == Float, Index == Int)
    @unsafe func maxima<T: Element, Index: FixedWidthInteger>(
        of x: UnsafePointer<T>, into y: UnsafeMutablePointer<T>, places: UnsafeMutablePointer<Index>
    ) {
        unsafe y.update(repeating: T(clamping: -.infinity), count: counts.count)
        unsafe places.update(repeating: -1, count: counts.count)
        for run in runs {
            for index in 0..<run.count {
                let (value, place) = unsafe (x[run.input + index * step], run.output + index)
                if unsafe value > y[place] || places[place] < 0 {
                    unsafe y[place] = value
                    unsafe places[place] = Index(truncatingIfNeeded: run.input + index * step)
                }
            }
        }
    }

    /// The sum of each window's pixels.
    @specialized(where T == Float)
    @unsafe func sums<T: RealElement>(of x: UnsafePointer<T>, into y: UnsafeMutablePointer<T>) {
        unsafe y.update(repeating: 0, count: counts.count)
        for run in runs {
            let (from, to) = unsafe (x + run.input, y + run.output)
            if step == 1 {
                for index in 0..<run.count { unsafe to[index] += from[index] }
            } else {
                for index in 0..<run.count { unsafe to[index] += from[index * step] }
            }
        }
    }

    /// Gives each pixel the sum of `factor · dy` over the windows that it is in.
    @specialized(where T == Float)
    @unsafe func spread<T: RealElement>(
        _ dy: UnsafePointer<T>, factors: UnsafePointer<T>, into dx: UnsafeMutablePointer<T>, count: Int
    ) {
        unsafe dx.update(repeating: 0, count: count)
        for run in runs {
            for index in 0..<run.count {
                let place = run.output + index
                unsafe dx[run.input + index * step] += dy[place] * factors[place]
            }
        }
    }
}
