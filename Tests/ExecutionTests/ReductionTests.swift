import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

#if canImport(Glibc)
import Glibc
#endif

@Suite("Reductions")
struct ReductionTests {
    static let names = [
        "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
        "ReduceLogSumExp", "ReduceSumSquare",
    ]
    static let cases: [([Int], [Int])] = [
        ([4, 5], [1]), ([4, 5], [0]), ([4, 5], [0, 1]), ([3, 4, 5, 2], [0, 2, 3]), ([3, 4, 5, 2], [1, 3]),
        ([3, 4, 5], [1]), ([2, 1, 3], [1]), ([], []), ([0, 3], [0]), ([700, 128], [0]), ([100_000], [0]),
        ([6, 300, 50], [0, 2]),
    ]

    @Test("Sets of elements are reduced", arguments: names, cases)
    func setsAreReduced(_ name: String, _ item: ([Int], [Int])) throws {
        let (shape, axes) = item
        var random = SeededGenerator(seed: 5)
        let count = shape.reduce(1, *)
        var values = random.normals(count).map { name == "ReduceLogSum" ? abs($0) + 0.1 : $0 }
        if name == "ReduceProd" { values = values.map { 1 + 0.001 * $0 } }
        let sets = Self.sets(shape, axes).map { $0.map { Double(values[$0]) } }
        let expected = sets.map { Self.reduce(name, $0) }
        let doubles = try TensorValue(elements: values.map { Double($0) }, shape: shape, type: .float64)
        let axis = try TensorValue(axes.map { Int64($0) }, shape: [axes.count])
        for input in [try TensorValue(values, shape: shape), doubles] {
            let result = try run(name, ["noop_with_empty_axes": axes.isEmpty], [input, axis]).doubles()
            let agrees = zip(result, expected).allSatisfy { a, b in
                a == b || a.isNaN && b.isNaN || abs(a - b) <= 2e-4 * max(1, abs(b))
            }
            #expect(
                result.count == expected.count && agrees, "\(name) \(item): \(result.prefix(4)) \(expected.prefix(4))")
        }
    }

    /// The places that go into each result, in order.
    private static func sets(_ shape: [Int], _ axes: [Int]) -> [[Int]] {
        let results = shape.indices.filter { !axes.contains($0) }.reduce(1) { $0 * shape[$1] }
        var sets = [[Int]](repeating: [], count: results)
        for index in 0..<shape.reduce(1, *) {
            var (rest, place, stride) = (index, 0, 1)
            for axis in shape.indices.reversed() {
                let digit = rest % shape[axis]
                rest /= shape[axis]
                if axes.contains(axis) { continue }
                place += digit * stride
                stride *= shape[axis]
            }
            sets[place].append(index)
        }
        return sets
    }

    private static func reduce(_ name: String, _ set: [Double]) -> Double {
        switch name {
        case "ReduceSum": set.reduce(0, +)
        case "ReduceMean": set.reduce(0, +) / Double(set.count)
        case "ReduceMax": set.max() ?? -.infinity
        case "ReduceMin": set.min() ?? .infinity
        case "ReduceProd": set.reduce(1, *)
        case "ReduceL1": set.reduce(0) { $0 + abs($1) }
        case "ReduceL2": set.reduce(0) { $0 + $1 * $1 }.squareRoot()
        case "ReduceLogSum": log(set.reduce(0, +))
        case "ReduceLogSumExp": log(set.reduce(0) { $0 + exp($1) })
        default: set.reduce(0) { $0 + $1 * $1 }
        }
    }

    @Test("Results do not depend on the number of threads", arguments: [([200_000], [0]), ([3000, 64], [0])])
    func resultsDoNotDependOnThreads(_ item: ([Int], [Int])) throws {
        var random = SeededGenerator(seed: 6)
        let input = try TensorValue(random.normals(item.0.reduce(1, *)), shape: item.0)
        let axis = try TensorValue(item.1.map { Int64($0) }, shape: [1])
        let results = try [1, 2, 3].map { try run("ReduceSum", [input, axis], threads: $0).floats() }
        #expect(results[0] == results[1] && results[1] == results[2])
    }

    @Test func integersAreReducedInTheirOwnType() throws {
        let x = try TensorValue([Int64(1), -2, 3, 4], shape: [2, 2])
        let axis = try TensorValue([Int64(1)], shape: [1])
        #expect(try run("ReduceSum", [x, axis]).integers() == [-1, 7])
        #expect(try run("ReduceMax", [x, axis]).integers() == [1, 4])
        #expect(try run("ReduceL1", [x, axis]).integers() == [3, 7])
        #expect(try run("ReduceProd", [x]).integers() == [-24])
    }

    @Test func theLastOfEqualIndicesMayBeTaken() throws {
        let x = try TensorValue([Float(2), 5, 5, 1], shape: [1, 4])
        #expect(try run("ArgMax", ["axis": 1], [x]).integers() == [1])
        #expect(try run("ArgMax", ["axis": 1, "select_last_index": 1], [x]).integers() == [2])
        #expect(try run("ArgMin", ["axis": -1, "keepdims": 0], [x]).shape == [1])
    }

    @Test func runningSumsGoBothWays() throws {
        let x = try TensorValue([Float(1), 2, 3], shape: [3])
        let axis = try TensorValue([Int64(0)], shape: [])
        #expect(try run("CumSum", [x, axis]).floats() == [1, 3, 6])
        #expect(try run("CumSum", ["exclusive": 1], [x, axis]).floats() == [0, 1, 3])
        #expect(try run("CumSum", ["reverse": 1], [x, axis]).floats() == [6, 5, 3])
        #expect(try run("CumSum", ["reverse": 1, "exclusive": 1], [x, axis]).floats() == [5, 3, 0])
    }

    @Test("Softmax sums to one along its axes", arguments: [(13, 1), (13, -1), (11, 1), (13, 0)])
    func softmaxSumsToOne(_ item: (version: Int, axis: Int)) throws {
        var random = SeededGenerator(seed: 8)
        let shape = [2, 3, 5]
        let values = random.normals(30)
        let axes = item.version < 13 ? Array(item.axis..<3) : [item.axis < 0 ? item.axis + 3 : item.axis]
        let x = try TensorValue(values, shape: shape)
        let result = try run("Softmax", ["axis": item.axis], [x], version: item.version).doubles()
        let logarithms = try run("LogSoftmax", ["axis": item.axis], [x], version: item.version).doubles()
        for set in Self.sets(shape, axes) {
            let sum = set.reduce(0) { $0 + exp(Double(values[$1])) }
            for index in set {
                let expected = exp(Double(values[index])) / sum
                #expect(abs(result[index] - expected) < 1e-6 && abs(logarithms[index] - log(expected)) < 1e-5)
            }
        }
    }
}
