internal import ConverterKit

/// How values that arrive at the same place are joined.
enum ScatterReduction: String {
    case none, add, mul, min, max

    /// Of an attribute; `none` when it is not stated.
    init(_ name: String?) throws {
        guard let known = ScatterReduction(rawValue: name ?? "none") else {
            throw ExecutionError.attribute("there is no reduction \(name ?? "")")
        }
        self = known
    }

    @inline(__always)
    func joined<T: Element>(_ old: T, _ new: T) -> T {
        switch self {
        case .none: new
        case .add: T.adding(old, new)
        case .mul: T.multiplying(old, new)
        case .min: Swift.min(old, new)
        case .max: Swift.max(old, new)
        }
    }
}

/// Blocks of neighbouring elements at offsets of a tensor against the same blocks one after the other:
/// `data[o·stride + offsets[n] + b]` and `blocks[o, n, b]`.
struct IndexedBlocks {
    var outer = 1
    /// Elements of the tensor from one outer index to the next.
    var stride = 0
    /// Offsets.
    var count: Int
    /// Elements of a block.
    var block: Int

    /// From the tensor to the blocks.
    @unsafe func gather(
        _ data: UnsafeRawPointer, _ offsets: UnsafePointer<Int64>, _ blocks: UnsafeMutableRawPointer, elementSize: Int,
        pool: ThreadPool
    ) {
        switch (block, elementSize) {
        case (1, 1): unsafe gather(UInt8.self, data, offsets, blocks, pool)
        case (1, 2): unsafe gather(UInt16.self, data, offsets, blocks, pool)
        case (1, 4): unsafe gather(UInt32.self, data, offsets, blocks, pool)
        case (1, 8): unsafe gather(UInt64.self, data, offsets, blocks, pool)
        default:
            let bytes = block * elementSize
            guard bytes > 0, count > 0 else { return }
            pool.split(outer * count, grain: max(1, 4 * StridedCopy.grain / bytes)) { range in
                for unit in range {
                    let (o, n) = unit.quotientAndRemainder(dividingBy: count)
                    let from = unsafe data + (o * stride + Int(offsets[n])) * elementSize
                    unsafe (blocks + unit * bytes).copyMemory(from: from, byteCount: bytes)
                }
            }
        }
    }

    @unsafe private func gather<T>(
        _: T.Type, _ data: UnsafeRawPointer, _ offsets: UnsafePointer<Int64>, _ blocks: UnsafeMutableRawPointer,
        _ pool: ThreadPool
    ) {
        let source = unsafe data.assumingMemoryBound(to: T.self)
        let target = unsafe blocks.assumingMemoryBound(to: T.self)
        pool.split(outer, grain: max(1, StridedCopy.grain / max(1, count))) { range in
            for o in range {
                let (from, to) = unsafe (source + o * stride, target + o * count)
                for n in 0..<count { unsafe to[n] = from[Int(offsets[n])] }
            }
        }
    }

    /// From the blocks to the tensor, in the order of the offsets. Threads share outer indices, or else parts of blocks,
    /// so that the sum does not depend on them.
    @unsafe func scatter<T: Element>(
        _ blocks: UnsafePointer<T>, _ offsets: UnsafePointer<Int64>, _ data: UnsafeMutablePointer<T>,
        _ reduction: ScatterReduction, pool: ThreadPool
    ) {
        let parts = outer >= pool.width ? 1 : max(1, min(pool.width, block / 64))
        let unit = max(1, count * block / parts)
        pool.split(outer * parts, grain: max(1, StridedCopy.grain / unit)) { range in
            for index in range {
                let (o, part) = index.quotientAndRemainder(dividingBy: parts)
                let (first, last) = (part * block / parts, (part + 1) * block / parts)
                for n in 0..<count {
                    let to = unsafe data + o * stride + Int(offsets[n])
                    let from = unsafe blocks + (o * count + n) * block
                    switch reduction {
                    case .none: for b in first..<last { unsafe to[b] = from[b] }
                    case .add: for b in first..<last { unsafe to[b] = T.adding(to[b], from[b]) }
                    default: for b in first..<last { unsafe to[b] = reduction.joined(to[b], from[b]) }
                    }
                }
            }
        }
    }
}

/// Indices that arrive with the data.
enum Indices {
    /// Writes the indices of an input counted from the front, as 64 bits. Throws `execution.shape` for one beyond
    /// `0 ..< extent`.
    @unsafe static func read(
        _ arguments: KernelArguments, input: Int, type: ElementType, count: Int, extent: Int,
        to indices: UnsafeMutablePointer<Int64>, scale: Int = 1
    ) throws {
        for n in 0..<count {
            let index = unsafe value(arguments, input: input, type: type, at: n)
            let positive = index < 0 ? index &+ extent : index
            guard positive >= 0, positive < extent else {
                throw ExecutionError.shape("the index \(index) lies outside an axis of \(extent)")
            }
            unsafe indices[n] = Int64(positive * scale)
        }
    }

    /// One index as it is stated.
    @unsafe static func value(_ arguments: KernelArguments, input: Int, type: ElementType, at n: Int) -> Int {
        switch type.storage {
        case .int32: unsafe Int(arguments.input(input, Int32.self)[n])
        case .uint8: unsafe Int(arguments.input(input, UInt8.self)[n])
        case .int8: unsafe Int(arguments.input(input, Int8.self)[n])
        case .int16: unsafe Int(arguments.input(input, Int16.self)[n])
        case .uint16: unsafe Int(arguments.input(input, UInt16.self)[n])
        case .uint32: unsafe Int(arguments.input(input, UInt32.self)[n])
        case .uint64: unsafe Int(truncatingIfNeeded: arguments.input(input, UInt64.self)[n])
        case .float: unsafe Int(Int64(clamping: Double(arguments.input(input, Float.self)[n])))
        case .double: unsafe Int(Int64(clamping: arguments.input(input, Double.self)[n]))
        default: unsafe Int(arguments.input(input, Int64.self)[n])
        }
    }
}
