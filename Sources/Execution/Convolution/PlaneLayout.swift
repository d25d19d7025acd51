/// How the channels of an image lie flattened, so that every convolution becomes a correlation with a table of offsets.
///
/// A channel is padded and, for strides above one, split into phases: element `i` of a padded axis is element `i / stride`
/// of phase `i mod stride`. All taps then read at `p + offset` for the output at flattened position `p`, whatever strides
/// and dilations there are. Rows keep the padding between them, so some positions belong to no output and are dropped.
/// Where the stride along the last axis is 1, the padding after a row serves as padding before the next one.
struct PlaneLayout: Sendable {
    /// Extents of one phase's grid, and elements from one index to the next along each axis.
    let grid: [Int]
    let gridStrides: [Int]
    /// Elements of one phase, and of all phases of a channel.
    let plane: Int
    let phases: Int
    var channel: Int { plane * phases }
    /// By tap, row-major over the kernel: its phase, and its offset within the phase.
    let tapPhases: [Int]
    let tapShifts: [Int]
    /// By tap: the offset in a channel.
    let offsets: [Int]
    /// From the first to one beyond the last output position.
    let length: Int

    init(_ shape: ConvolutionShape) {
        let axes = shape.input.indices
        var grid: [Int] = []
        for axis in axes {
            let reach = (shape.kernel[axis] - 1) * shape.dilations[axis]
            var extent = shape.output[axis] + reach / shape.strides[axis]
            if axis == axes.last, shape.strides[axis] == 1 {
                extent -= min(shape.padsBefore[axis], shape.padsAfter[axis])
            }
            grid.append(extent)
        }
        var strides = [Int](repeating: 1, count: grid.count)
        for axis in axes.dropLast().reversed() { strides[axis] = strides[axis + 1] * grid[axis + 1] }
        self.grid = grid
        gridStrides = strides
        plane = strides[0] * grid[0]
        phases = shape.strides.reduce(1, *)
        var tapPhases = [0]
        var tapShifts = [0]
        for axis in axes {
            let positions = (0..<shape.kernel[axis]).map { $0 * shape.dilations[axis] }
            let stride = shape.strides[axis]
            tapPhases = tapPhases.flatMap { phase in positions.map { phase * stride + $0 % stride } }
            tapShifts = tapShifts.flatMap { shift in positions.map { shift + $0 / stride * strides[axis] } }
        }
        self.tapPhases = tapPhases
        self.tapShifts = tapShifts
        let plane = plane
        offsets = zip(tapPhases, tapShifts).map { $0 * plane + $1 }
        length = zip(shape.output, strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 }
    }

    /// Largest offset within a phase.
    var largestShift: Int { tapShifts.max() ?? 0 }
}

/// Where the rows of a tensor's channel (runs along its last axis) lie in a grid.
struct RowTable: Sendable {
    struct Row: Sendable {
        /// First element of the row in the tensor's channel.
        var tensor: Int
        /// First element in the channel's planes.
        var grid: Int
        var count: Int
        /// Elements of the tensor from one to the next.
        var step: Int
    }

    let rows: [Row]
    /// Elements of the tensor's channel that the rows name; strides can pass over others.
    var count: Int { rows.reduce(0) { $0 + $1.count } }

    /// The input: each row once for each phase of the last axis.
    init(input shape: ConvolutionShape, _ layout: PlaneLayout) {
        let last = shape.input.count - 1
        let stride = shape.strides[last]
        var rows: [Row] = []
        for outer in Self.indices(Array(shape.input.dropLast())) {
            var (phase, position, isInside) = (0, 0, true)
            for (axis, index) in outer.enumerated() {
                let padded = index + shape.padsBefore[axis]
                phase = phase * shape.strides[axis] + padded % shape.strides[axis]
                let place = padded / shape.strides[axis]
                isInside = isInside && place < layout.grid[axis]
                position += place * layout.gridStrides[axis]
            }
            guard isInside else { continue }
            let start = outer.indices.reduce(0) { ($0 + outer[$1]) * shape.input[$1 + 1] }
            for first in 0..<min(stride, shape.input[last]) {
                let padded = first + shape.padsBefore[last]
                let place = padded / stride
                let count = min((shape.input[last] - first + stride - 1) / stride, layout.grid[last] - place)
                guard count > 0 else { continue }
                rows.append(
                    Row(
                        tensor: start + first,
                        grid: (phase * stride + padded % stride) * layout.plane + position + place, count: count,
                        step: stride))
            }
        }
        self.rows = rows
    }

    /// The output.
    init(output shape: ConvolutionShape, _ layout: PlaneLayout) {
        let width = shape.output.last ?? 1
        rows = Self.indices(Array(shape.output.dropLast())).enumerated().map { number, outer in
            Row(
                tensor: number * width, grid: zip(outer, layout.gridStrides).reduce(0) { $0 + $1.0 * $1.1 },
                count: width, step: 1)
        }
    }

    /// All index tuples below `extents`, row-major.
    private static func indices(_ extents: [Int]) -> [[Int]] {
        extents.reduce([[]]) { tuples, extent in tuples.flatMap { tuple in (0..<extent).map { tuple + [$0] } } }
    }

    /// Copies a channel into its planes, whose other elements stay.
    @unsafe func scatter(_ tensor: UnsafePointer<Float>, into grid: UnsafeMutablePointer<Float>) {
        for row in rows {
            let (from, to) = unsafe (tensor + row.tensor, grid + row.grid)
            if row.step == 1 {
                unsafe to.update(from: from, count: row.count)
            } else {
                for index in 0..<row.count { unsafe to[index] = from[index * row.step] }
            }
        }
    }

    /// Copies a channel out of its planes; elements of the tensor that no row names stay.
    @unsafe func gather(_ grid: UnsafePointer<Float>, into tensor: UnsafeMutablePointer<Float>, adding bias: Float = 0)
    {
        for row in rows {
            let (from, to) = unsafe (grid + row.grid, tensor + row.tensor)
            for index in 0..<row.count { unsafe to[index * row.step] = from[index] + bias }
        }
    }
}
