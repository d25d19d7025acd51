import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

/// One use of an operator, run by a plan with inputs that are known or come when it runs.
enum OperatorRun {
    /// The outputs. Inputs whose content decides extents are constants.
    static func outputs(
        _ name: String, domain: String = "", version: Int = 18, _ attributes: AttributeList,
        _ inputs: [TensorValue?], constants: Set<Int> = [], outputs: Int = 1
    ) throws -> [TensorValue] {
        let program = Program(pool: ThreadPool.shared(width: 2))
        var given: [ValueID: RuntimeValue] = [:]
        let ids = inputs.enumerated().map { index, value -> ValueID? in
            guard let value else { return nil }
            if constants.contains(index) { return program.constant(value) }
            let id = program.addInput("input \(index)", of: .tensor(value))
            given[id] = .tensor(value)
            return id
        }
        let use = OperatorUse(OperatorKey(domain: domain, name: name), attributes, version: version, node: "node")
        let made = try program.emit(use, ids, wanted: [Bool](repeating: true, count: outputs)).compactMap { $0 }
        return try Plan(program, outputs: made).run(given).map { try $0.tensor() }
    }

    /// Without attributes.
    static func outputs(
        _ name: String, version: Int = 18, _ inputs: [TensorValue?], constants: Set<Int> = [], outputs: Int = 1
    ) throws -> [TensorValue] {
        try self.outputs(name, version: version, [:], inputs, constants: constants, outputs: outputs)
    }

    static func integers(_ values: [Int], _ shape: [Int]? = nil) throws -> TensorValue {
        try TensorValue(values.map { Int64($0) }, shape: shape ?? [values.count])
    }

    static func numbers(_ shape: [Int], seed: UInt64 = 1) throws -> TensorValue {
        var generator = SeededGenerator(seed: seed)
        return try TensorValue(generator.normals(shape.reduce(1, *)), shape: shape)
    }
}

@Suite("Operators that move elements")
struct LayoutTests {
    @Test("a strided copy of any element size is that of the definition", arguments: [1, 2, 4, 8], 0..<40)
    func stridedCopyIsThatOfTheDefinition(size: Int, seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let rank = Int.random(in: 0...5, using: &random)
        let extents = (0..<rank).map { _ in
            Int.random(in: seed % 10 == 0 ? 0...3 : 1...(rank < 3 ? 90 : 9), using: &random)
        }
        let order = Array(0..<rank).shuffled(using: &random)
        let repeated = (0..<rank).map { _ in Int.random(in: 0..<5, using: &random) == 0 }
        let stored = order.map { repeated[$0] ? 1 : extents[$0] }
        let storedStrides = stored.rowMajorStrides
        let to = extents.rowMajorStrides
        var from = [Int](repeating: 0, count: rank)
        for (position, axis) in order.enumerated() where !repeated[axis] { from[axis] = storedStrides[position] }
        var offset = 0
        for axis in 0..<rank where from[axis] != 0 && Bool.random(using: &random) {
            offset += from[axis] * max(0, extents[axis] - 1)
            from[axis] = -from[axis]
        }
        let copy = StridedCopy(
            (0..<rank).map { .init(extent: extents[$0], from: from[$0], to: to[$0]) }, fromOffset: offset,
            elementSize: size)
        let count = extents.reduce(1, *)
        let source = Buffer(byteCount: max(1, stored.reduce(1, *)) * size)
        let target = Buffer(byteCount: max(1, count) * size)
        for byte in 0..<source.byteCount {
            unsafe source.base.storeBytes(
                of: UInt8.random(in: 0...255, using: &random), toByteOffset: byte, as: UInt8.self)
        }
        unsafe copy.run(from: UnsafeRawPointer(source.base), to: target.base, pool: ThreadPool.shared(width: 2))
        for position in 0..<count {
            var (left, place) = (position, offset)
            for axis in (0..<rank).reversed() {
                (left, place) = (left / extents[axis], place + left % extents[axis] * from[axis])
            }
            for byte in 0..<size {
                let (a, b) = unsafe (
                    source.base.load(fromByteOffset: place * size + byte, as: UInt8.self),
                    target.base.load(fromByteOffset: position * size + byte, as: UInt8.self)
                )
                if a != b { Issue.record("extents \(extents) from \(from): element \(position)") }
                if a != b { return }
            }
        }
    }

    @Test func aSliceTakesBoundsBeyondAnyAxis() throws {
        let data = try OperatorRun.integers(Array(0..<12), [3, 4])
        let least = Int(Int64.min)
        let reversed = try OperatorRun.outputs(
            "Slice",
            [
                data, OperatorRun.integers([Int.max, -1]), OperatorRun.integers([least, least]),
                OperatorRun.integers([0, 1]), OperatorRun.integers([-1, least]),
            ], constants: [1, 2, 3, 4])[0]
        #expect(reversed.shape == [3, 1])
        #expect(try reversed.integers() == [11, 7, 3])
    }

    @Test func aSliceOfUnknownBoundsIsPreparedWhenTheyAreThere() throws {
        let data = try OperatorRun.integers(Array(0..<5))
        let result = try OperatorRun.outputs("Slice", [data, OperatorRun.integers([-3]), OperatorRun.integers([99])])[0]
        #expect(try result.integers() == [2, 3, 4])
    }

    @Test(
        "booleans, bytes and halves are moved like any other",
        arguments: [ElementType.bool, .int16, .float16, .float64])
    func everyTypeIsMoved(type: ElementType) throws {
        let content = [1, 0, 0, 1, 1, 0]
        func make<T: Element>(_: T.Type) throws -> TensorValue {
            try TensorValue(elements: content.map { T(clamping: Double($0)) }, shape: [2, 3], type: type)
        }
        let element = try #require(type.storage?.element)
        let data = try make(element)
        let moved = try OperatorRun.outputs("Transpose", [data])[0]
        #expect(moved.type == type && moved.shape == [3, 2])
        #expect(try moved.doubles() == [1, 1, 0, 1, 0, 0])
        let joined = try OperatorRun.outputs("Concat", ["axis": 1], [data, data])[0]
        #expect(try joined.doubles() == [1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0])
        let taken = try OperatorRun.outputs("Gather", ["axis": 1], [data, OperatorRun.integers([-1, 0])])[0]
        #expect(try taken.doubles() == [0, 1, 0, 1])
    }

    @Test(
        "each mode of padding repeats what it says",
        arguments: [
            ("constant", [9, 9, 1, 2, 3, 9]), ("edge", [1, 1, 1, 2, 3, 3]), ("reflect", [3, 2, 1, 2, 3, 2]),
            ("wrap", [2, 3, 1, 2, 3, 1]),
        ])
    func paddingRepeats(mode: String, expected: [Int]) throws {
        let result = try OperatorRun.outputs(
            "Pad", version: 19, ["mode": mode],
            [OperatorRun.integers([1, 2, 3]), OperatorRun.integers([2, 1]), OperatorRun.integers([9], [])],
            constants: [1])[0]
        #expect(try result.integers() == expected)
    }

    @Test func splitGivesAShorterLastPart() throws {
        let parts = try OperatorRun.outputs(
            "Split", ["num_outputs": 3], [OperatorRun.integers(Array(0..<7))], outputs: 3)
        #expect(try parts.map { try $0.integers() } == [[0, 1, 2], [3, 4, 5], [6]])
    }

    @Test(
        "input that does not fit is refused",
        arguments: [
            ("Transpose", ["perm": [0, 0]]), ("Concat", [:]), ("DepthToSpace", ["blocksize": 0]),
            ("SpaceToDepth", ["blocksize": 3]), ("Slice", [:]), ("Tile", [:]), ("Expand", [:]), ("Pad", [:]),
            ("Trilu", [:]), ("Gather", [:]), ("Resize", [:]), ("Split", ["num_outputs": 9]), ("GatherND", [:]),
        ] as [(String, AttributeList)])
    func misfitsAreRefused(name: String, attributes: AttributeList) throws {
        #expect(throws: ConversionError.self) {
            _ = try OperatorRun.outputs(name, attributes, [OperatorRun.numbers([5])])
            _ = try OperatorRun.outputs(name, attributes, [OperatorRun.numbers([5, 5]), OperatorRun.integers([-7])])
        }
    }

    @Test func columnsAreSummedWhereTheyOverlap() throws {
        let columns = try TensorValue([Float](repeating: 1, count: 4 * 4), shape: [1, 4, 4])
        let image = try OperatorRun.outputs(
            "Col2Im", [columns, OperatorRun.integers([3, 3]), OperatorRun.integers([2, 2])], constants: [1, 2])[0]
        #expect(try image.floats() == [1, 2, 1, 2, 4, 2, 1, 2, 1])
    }
}
