internal import ConverterKit

/// Extents of a recurrent layer and where its rows lie.
///
///     X [length, batch, inputs], W [directions, gates·hidden, inputs], R [directions, gates·hidden, hidden],
///     Y [length, directions, batch, hidden], states [directions, batch, hidden]
///
/// With the batch first: X [batch, length, inputs], Y [batch, length, directions, hidden], states [batch, directions,
/// hidden].
struct RecurrentShape: Sendable {
    let type: ElementType
    let (length, batch, inputs, hidden, directions, gates): (Int, Int, Int, Int, Int, Int)
    let isBatchFirst: Bool
    /// By direction.
    let isReversed: [Bool]

    /// - Parameter states: The inputs that are initial states.
    init(_ preparation: Preparation, gates: Int, states: [Int]) throws {
        let x = try preparation.fact(0)
        let (w, r) = (try preparation.shape(1), try preparation.shape(2))
        let attributes = preparation.attributes
        guard x.type.storage == .float else {
            throw ExecutionError.unsupported("\(preparation.operation) of \(x.type) is not executed")
        }
        for index in [1, 2, 3] + states where preparation.isStated(index) {
            guard try preparation.type(index) == x.type else {
                throw ExecutionError.type("the inputs of \(preparation.operation) are of different types")
            }
        }
        (type, self.gates) = (x.type, gates)
        isBatchFirst = attributes.flag("layout")
        switch attributes.string("direction")?.lowercased() ?? "forward" {
        case "forward": isReversed = [false]
        case "reverse": isReversed = [true]
        case "bidirectional": isReversed = [false, true]
        case let name: throw ExecutionError.attribute("\(preparation.operation) has no direction \(name)")
        }
        directions = isReversed.count
        guard x.shape.count == 3, w.count == 3, r.count == 3 else {
            throw ExecutionError.shape("\(preparation.operation) of \(x.shape) with weights \(w) and \(r)")
        }
        (length, batch, inputs) =
            isBatchFirst ? (x.shape[1], x.shape[0], x.shape[2]) : (x.shape[0], x.shape[1], x.shape[2])
        hidden = r[2]
        let (rows, overflow) = hidden.multipliedReportingOverflow(by: gates)
        let state = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
        guard !overflow, attributes.int("hidden_size").map({ $0 == hidden }) ?? true, w == [directions, rows, inputs],
            r == [directions, rows, hidden],
            try !preparation.isStated(3) || preparation.shape(3) == [directions, 2 * rows],
            try !preparation.isStated(4) || preparation.shape(4) == [batch],
            try states.allSatisfy({ try !preparation.isStated($0) || preparation.shape($0) == state }),
            max(inputs, rows) <= Int(Int32.max)
        else { throw ExecutionError.shape("\(preparation.operation) of \(x.shape) with weights \(w) and \(r)") }
        guard try !preparation.isStated(4) || preparation.type(4) == .int32 else {
            throw ExecutionError.type("the lengths of \(preparation.operation) are not 32-bit integers")
        }
        guard try [length, batch].elementCount() <= Int(Int32.max) else {
            throw ExecutionError.shape("\(preparation.operation) of \(x.shape) is too large")
        }
        _ = try [length, batch, directions, rows].elementCount()
    }

    var rows: Int { gates * hidden }

    var output: TensorFact {
        TensorFact(
            type: type,
            shape: isBatchFirst ? [batch, length, directions, hidden] : [length, directions, batch, hidden])
    }

    var state: TensorFact {
        TensorFact(type: type, shape: isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden])
    }

    /// Rows of X.
    func inputRow(_ time: Int, _ row: Int) -> Int { isBatchFirst ? row * length + time : time * batch + row }

    func outputOffset(_ time: Int, _ direction: Int, _ row: Int) -> Int {
        hidden
            * (isBatchFirst
                ? (row * length + time) * directions + direction : (time * directions + direction) * batch + row)
    }

    func stateOffset(_ direction: Int, _ row: Int) -> Int {
        hidden * (isBatchFirst ? row * directions + direction : direction * batch + row)
    }

    /// Multiply-accumulates.
    var macs: Int { length * batch * directions * rows * (inputs + hidden) }
}
