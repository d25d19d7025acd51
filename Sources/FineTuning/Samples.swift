public import Execution
internal import LinearAlgebra

/// Inputs of a model one beside the other, with labels where there are any.
public struct Samples: Sendable {
    /// Extents of one sample.
    public let shape: [Int]
    public let count: Int
    /// Class numbers; `nil` for data without labels.
    public let labels: [Int64]?
    private let storage: Storage

    private enum Storage: Sendable {
        case floats([Float])
        /// A byte `b` of channel `c` is the number `b · scale[c] + shift[c]`.
        case bytes([UInt8], scale: [Float], shift: [Float])
    }

    /// - Parameters:
    ///   - values: `[count, shape…]`.
    public init(_ values: [Float], shape: [Int], labels: [Int64]?) {
        self.shape = shape
        let size = shape.reduce(1, *)
        count = size > 0 ? values.count / size : 0
        self.labels = labels
        storage = .floats(values)
    }

    /// Images in bytes `[count, channels, height, width]` that are normalized as they are read.
    public init(_ bytes: [UInt8], shape: [Int], scale: [Float], shift: [Float], labels: [Int64]?) {
        precondition(shape.count == 3 && scale.count == shape[0] && shift.count == shape[0])
        self.shape = shape
        let size = shape.reduce(1, *)
        count = size > 0 ? bytes.count / size : 0
        self.labels = labels
        storage = .bytes(bytes, scale: scale, shift: shift)
    }

    /// Two parts at random; the second has `share` of the samples.
    public func splitting(share: Double, seed: UInt64) -> (Samples, Samples) {
        var generator = SeededGenerator(seed: seed)
        let order = Array(0..<count).shuffled(using: &generator)
        let split = count - Int((Double(count) * share).rounded())
        return (taking(order[..<split].sorted()), taking(order[split...].sorted()))
    }

    private func taking(_ indices: [Int]) -> Samples {
        let size = shape.reduce(1, *)
        let labels = self.labels.map { all in indices.map { all[$0] } }
        switch storage {
        case .floats(let values):
            return Samples(indices.flatMap { values[$0 * size..<($0 + 1) * size] }, shape: shape, labels: labels)
        case .bytes(let bytes, let scale, let shift):
            var taken: [UInt8] = []
            taken.reserveCapacity(indices.count * size)
            for index in indices { taken += bytes[index * size..<(index + 1) * size] }
            return Samples(taken, shape: shape, scale: scale, shift: shift, labels: labels)
        }
    }

    /// Whether crops and flips mean anything.
    var areImages: Bool { shape.count == 3 && shape[1] > 8 && shape[2] > 8 }

    /// Copies the samples of `order` to `batch`, moved and mirrored as `augmentation` says for each.
    func fill(_ batch: inout [Float], _ order: ArraySlice<Int>, _ moves: [Augmentation.Move]?) {
        let size = shape.reduce(1, *)
        for (place, index) in order.enumerated() {
            let target = place * size
            guard let moves, shape.count == 3 else {
                for element in 0..<size {
                    batch[target + element] = value(index * size + element, channel(of: element))
                }
                continue
            }
            copyImage(index * size, to: &batch, at: target, moves[place])
        }
    }

    private func channel(of element: Int) -> Int {
        shape.count == 3 ? element / (shape[1] * shape[2]) : 0
    }

    private func value(_ index: Int, _ channel: Int) -> Float {
        switch storage {
        case .floats(let values): values[index]
        case .bytes(let bytes, let scale, let shift): Float(bytes[index]) * scale[channel] + shift[channel]
        }
    }

    /// What the shift uncovers is black, the value of a byte of zero; zero for floats.
    private func copyImage(_ from: Int, to batch: inout [Float], at target: Int, _ move: Augmentation.Move) {
        let (height, width) = (shape[1], shape[2])
        for channel in 0..<shape[0] {
            var black: Float = 0
            var (factor, offset): (Float, Float) = (1, 0)
            if case .bytes(_, let scale, let shift) = storage {
                (factor, offset) = (scale[channel], shift[channel])
                black = offset
            }
            for row in 0..<height {
                let to = target + (channel * height + row) * width
                let sourceRow = row + move.down
                guard sourceRow >= 0, sourceRow < height else {
                    for column in 0..<width { batch[to + column] = black }
                    continue
                }
                let source = from + (channel * height + sourceRow) * width
                for column in 0..<width {
                    let sourceColumn = (move.isMirrored ? width - 1 - column : column) + move.right
                    let isInside = sourceColumn >= 0 && sourceColumn < width
                    switch storage {
                    case .floats(let values): batch[to + column] = isInside ? values[source + sourceColumn] : black
                    case .bytes(let bytes, _, _):
                        batch[to + column] = isInside ? Float(bytes[source + sourceColumn]) * factor + offset : black
                    }
                }
            }
        }
    }

    /// The samples as one tensor `[n, shape…]`.
    public func tensor(_ range: Range<Int>) throws -> TensorValue {
        var batch = [Float](repeating: 0, count: range.count * shape.reduce(1, *))
        fill(&batch, Array(range)[...], nil)
        return try TensorValue(batch, shape: [range.count] + shape)
    }
}
