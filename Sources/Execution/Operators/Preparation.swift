internal import ConverterKit

/// What is known of a use of an operator before it runs.
struct Preparation {
    let use: OperatorUse
    let inputs: [Input?]
    /// By output of the node: whether anyone reads it.
    let wanted: [Bool]
    /// How many threads the kernel will have.
    let threads: Int

    struct Input {
        var fact: TensorFact
        /// The content, when it is known.
        var constant: TensorValue?
    }

    var attributes: AttributeList { use.attributes }
    /// The version of the operator's set.
    var version: Int { use.version }
    var operation: String { use.key.name }

    func isStated(_ index: Int) -> Bool { inputs.indices.contains(index) && inputs[index] != nil }

    func isWanted(_ output: Int) -> Bool { wanted.indices.contains(output) && wanted[output] }

    /// Throws `execution.missing-input` when the node leaves the input out.
    func fact(_ index: Int) throws -> TensorFact {
        guard inputs.indices.contains(index), let input = inputs[index] else {
            throw ExecutionError.missingInput("number \(index) of \(use.key)")
        }
        return input.fact
    }

    func type(_ index: Int) throws -> ElementType { try fact(index).type }

    func shape(_ index: Int) throws -> [Int] { try fact(index).shape }

    /// The content of an input that decides about extents; `nil` when the node leaves it out. Throws `ContentNeeded`,
    /// after which the node is prepared only once that content has been computed.
    func content(_ index: Int) throws -> TensorValue? {
        guard inputs.indices.contains(index), let input = inputs[index] else { return nil }
        guard let constant = input.constant else { throw ContentNeeded() }
        return constant
    }

    /// The content of an input of integers.
    func integers(_ index: Int) throws -> [Int]? { try content(index)?.integers() }

    /// Integers that older versions of an operator state as an attribute and newer ones as an input.
    func integers(_ attribute: String, orInput index: Int) throws -> [Int]? {
        try attributes.ints(attribute) ?? integers(index)
    }

    /// `axis` counted from the front. Throws `execution.attribute` when there is no such axis.
    func axis(_ axis: Int, rank: Int) throws -> Int { try Axes.normalized(axis, rank: rank) }
}

/// A node's extents depend on content that is not known yet.
struct ContentNeeded: Error {}

enum Axes {
    static func normalized(_ axis: Int, rank: Int) throws -> Int {
        let positive = axis < 0 ? axis + rank : axis
        guard positive >= 0, positive < max(rank, 1) else {
            throw ExecutionError.attribute("there is no axis \(axis) in a tensor of \(rank) axes")
        }
        return positive
    }

    /// Sorted, each once.
    static func normalized(_ axes: [Int], rank: Int) throws -> [Int] {
        let positive = try axes.map { try normalized($0, rank: rank) }
        guard Set(positive).count == positive.count else {
            throw ExecutionError.attribute("the axes \(axes) name one axis twice")
        }
        return positive.sorted()
    }
}

/// Computes a node's outputs from its inputs.
typealias Kernel = (KernelArguments) throws -> Void

/// A node that is ready to run: what comes out and how.
struct Prepared {
    /// One for each output that the operator has here; those nobody wants have memory as well.
    var outputs: [TensorFact]
    /// Bytes that the kernel needs for itself while it runs, at a multiple of 64.
    var scratch = 0
    /// Output 0 has the bytes of input 0 and nothing is computed.
    var isView = false
    /// The outputs follow from the inputs' extents alone.
    var isConstant = false
    /// Inputs whose memory output 0 may take, when nobody reads them later: of the same extents, and each element is
    /// read before it is written.
    var overwritable: [Int] = []
    /// Outputs that the preparation has computed, of strings for example.
    var results: [TensorValue]?
    /// Multiply-accumulates.
    var macs = 0
    var kernel: Kernel

    init(
        _ outputs: [TensorFact], scratch: Int = 0, overwritable: [Int] = [], macs: Int = 0, kernel: @escaping Kernel
    ) {
        (self.outputs, self.scratch, self.overwritable, self.macs, self.kernel) =
            (outputs, scratch, overwritable, macs, kernel)
    }

    /// The input's elements in another shape.
    static func view(_ fact: TensorFact) -> Prepared {
        var prepared = Prepared([fact]) { _ in }
        prepared.isView = true
        return prepared
    }
}

extension Prepared {
    /// The output is known ahead, from the content of the inputs.
    static func known(_ value: TensorValue) -> Prepared {
        let bytes = value.fact.byteCount
        var prepared = Prepared([value.fact]) { arguments in
            let from = unsafe value.buffer.base.assumingMemoryBound(to: UInt8.self)
            unsafe arguments.output(0, UInt8.self).update(from: from, count: bytes)
        }
        prepared.results = [value]
        prepared.isConstant = true
        return prepared
    }
}

/// Where inputs and outputs of a kernel lie. Set up once; a kernel that runs again finds the same places.
@safe struct KernelArguments {
    private let inputs: [UnsafeMutableRawPointer?]
    private let outputs: [UnsafeMutableRawPointer?]
    private let scratch: UnsafeMutableRawPointer?
    let pool: ThreadPool

    @unsafe init(
        inputs: [UnsafeMutableRawPointer?], outputs: [UnsafeMutableRawPointer?], scratch: UnsafeMutableRawPointer?,
        pool: ThreadPool
    ) {
        unsafe (self.inputs, self.outputs, self.scratch, self.pool) = (inputs, outputs, scratch, pool)
    }

    func isStated(_ index: Int) -> Bool { unsafe inputs.indices.contains(index) && inputs[index] != nil }

    /// An input that the preparation has seen.
    @unsafe func input<T: Element>(_ index: Int, _: T.Type = T.self) -> UnsafePointer<T> {
        guard let pointer = unsafe inputs[index] else { preconditionFailure("input \(index) is left out") }
        return unsafe UnsafePointer(pointer.assumingMemoryBound(to: T.self))
    }

    /// `nil` for one that is left out.
    @unsafe func optionalInput<T: Element>(_ index: Int, _: T.Type = T.self) -> UnsafePointer<T>? {
        guard unsafe inputs.indices.contains(index), let pointer = unsafe inputs[index] else { return nil }
        return unsafe UnsafePointer(pointer.assumingMemoryBound(to: T.self))
    }

    /// One of the outputs that the preparation has stated.
    @unsafe func output<T: Element>(_ index: Int = 0, _: T.Type = T.self) -> UnsafeMutablePointer<T> {
        guard let pointer = unsafe outputs[index] else { preconditionFailure("output \(index) has no place") }
        return unsafe pointer.assumingMemoryBound(to: T.self)
    }

    @unsafe func scratch<T: Element>(_: T.Type = T.self) -> UnsafeMutablePointer<T> {
        guard let scratch = unsafe scratch else { preconditionFailure("no scratch memory was asked for") }
        return unsafe scratch.assumingMemoryBound(to: T.self)
    }
}
