import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

@Suite("Operators that select")
struct SelectingTests {
    @Test(
        "TopK keeps the order of a stable sort", arguments: [(1, true), (3, false), (9, true), (10, false), (10, true)])
    func topKIsAStableSort(k: Int, isLargest: Bool) throws {
        var random = SeededGenerator(seed: UInt64(k))
        let values = (0..<60).map { _ in Float(Int.random(in: 0..<6, using: &random)) }
        let result = try OperatorRun.outputs(
            "TopK", ["axis": 1, "largest": isLargest ? 1 : 0],
            [TensorValue(values, shape: [2, 10, 3]), OperatorRun.integers([k])], constants: [1], outputs: 2)
        let (chosen, indices) = (try result[0].floats(), try result[1].integers())
        for outer in 0..<2 {
            for inner in 0..<3 {
                let lane = (0..<10).map { values[(outer * 10 + $0) * 3 + inner] }
                let order = (0..<10).sorted {
                    lane[$0] == lane[$1] ? $0 < $1 : isLargest ? lane[$0] > lane[$1] : lane[$0] < lane[$1]
                }.prefix(k)
                #expect((0..<k).map { indices[(outer * k + $0) * 3 + inner] } == Array(order))
                #expect((0..<k).map { chosen[(outer * k + $0) * 3 + inner] } == order.map { lane[$0] })
            }
        }
    }

    @Test("an index beyond the axis is refused when the graph runs", arguments: [-4, 3, Int.max, Int.min])
    func indicesBeyondTheAxisAreRefused(index: Int) throws {
        let data = try OperatorRun.numbers([3])
        let indices = try OperatorRun.integers([index], [1])
        #expect(throws: ConversionError.self) { try OperatorRun.outputs("Gather", [data, indices]) }
        #expect(throws: ConversionError.self) { try OperatorRun.outputs("GatherElements", [data, indices]) }
        #expect(throws: ConversionError.self) { try OperatorRun.outputs("GatherND", [data, indices]) }
        let update = try OperatorRun.numbers([1])
        #expect(throws: ConversionError.self) { try OperatorRun.outputs("ScatterElements", [data, indices, update]) }
        let scalar = try OperatorRun.numbers([])
        #expect(throws: ConversionError.self) { try OperatorRun.outputs("ScatterND", [data, indices, scalar]) }
    }

    @Test(
        "scattered values are joined",
        arguments: [
            ("none", [6, 5, 2]), ("add", [13, 6, 2]), ("mul", [42, 5, 2]), ("max", [7, 5, 2]), ("min", [1, 1, 2]),
        ])
    func scatteredValuesAreJoined(reduction: String, expected: [Int]) throws {
        let updates = reduction == "min" ? [1, 5, 8] : reduction == "mul" ? [7, 5, 6] : [7, 5, 6]
        let data = reduction == "add" ? [0, 1, 2] : [1, 1, 2]
        let inputs = try [
            OperatorRun.integers(data), OperatorRun.integers([0, 1, 0]), OperatorRun.integers(updates),
        ]
        #expect(
            try OperatorRun.outputs("ScatterElements", ["reduction": reduction], inputs)[0].integers() == expected)
        let tuples = try [inputs[0], OperatorRun.integers([0, 1, 0], [3, 1]), inputs[2]]
        #expect(try OperatorRun.outputs("ScatterND", ["reduction": reduction], tuples)[0].integers() == expected)
    }

    @Test func uniqueCountsAndOrders() throws {
        let data = try OperatorRun.integers([2, 1, 1, 3, 4, 3])
        let sorted = try OperatorRun.outputs("Unique", [data], outputs: 4).map { try $0.integers() }
        #expect(sorted == [[1, 2, 3, 4], [1, 0, 3, 4], [1, 0, 0, 2, 3, 2], [2, 1, 2, 1]])
        let found = try OperatorRun.outputs("Unique", ["sorted": 0], [data], outputs: 4).map { try $0.integers() }
        #expect(found == [[2, 1, 3, 4], [0, 1, 3, 4], [0, 1, 1, 2, 3, 2], [1, 2, 2, 1]])
    }

    @Test func oneHotLeavesOutIndicesBeyondTheDepth() throws {
        let result = try OperatorRun.outputs(
            "OneHot",
            [OperatorRun.integers([1, -1, 5]), OperatorRun.integers([3], []), OperatorRun.integers([2, 7])],
            constants: [1])[0]
        #expect(try result.integers() == [2, 7, 2, 2, 2, 7, 2, 2, 2])
    }
}
