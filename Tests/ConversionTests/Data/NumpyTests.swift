import ConverterKit
import Execution
import TestSupport
import Testing

@testable import Conversion

@Suite("Files of numpy's")
struct NumpyTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func array(_ bytes: [UInt8]) throws(ConversionError) -> NumpyArray { try NumpyArray(ByteSource(bytes)) }

    @Test("a header is read in every version", arguments: [UInt8(1), 2, 3])
    func versions(_ version: UInt8) throws {
        let bytes = NumpyBuilder.npy("'<f4'", [2, 3], NumpyBuilder.floats([1, 2, 3, 4, 5, 6]), version: version)
        let array = try array(bytes)
        #expect(array.type == .float32 && array.shape == [2, 3])
        #expect(try array.tensor(1..<2).floats() == [4, 5, 6])
    }

    @Test("every numeric type is known by its description")
    func types() throws {
        let known: [(String, ElementType, Int)] = [
            ("|b1", .bool, 1), ("|i1", .int8, 1), ("|u1", .uint8, 1), ("<i2", .int16, 2), ("<u2", .uint16, 2),
            ("<f2", .float16, 2), ("<i4", .int32, 4), ("<u4", .uint32, 4), ("<f4", .float32, 4), ("<i8", .int64, 8),
            ("<u8", .uint64, 8), ("<f8", .float64, 8),
        ]
        for (name, type, size) in known {
            let bytes = NumpyBuilder.npy("'\(name)'", [3], [UInt8](repeating: 0, count: 3 * size))
            #expect(try array(bytes).type == type, "\(name)")
        }
    }

    @Test("an array in Fortran's order gives the same rows")
    func fortranOrder() throws {
        // [[1, 2, 3], [4, 5, 6]] column by column.
        let bytes = NumpyBuilder.npy("'<f4'", [2, 3], NumpyBuilder.floats([1, 4, 2, 5, 3, 6]), fortran: true)
        #expect(try array(bytes).tensor(0..<2).floats() == [1, 2, 3, 4, 5, 6])
        let cube = NumpyBuilder.npy("'|u1'", [2, 2, 2], [0, 4, 2, 6, 1, 5, 3, 7], fortran: true)
        #expect(try array(cube).integers() == Array(0..<8))
    }

    @Test(
        "what is no little-endian number is refused",
        arguments: ["'>f4'", "'|O'", "[('a', '<f4'), ('b', '<i8')]", "'<U8'", "'<c8'", "'<M8[ns]'"])
    func refusedTypes(_ description: String) {
        let error = #expect(throws: ConversionError.self) {
            _ = try array(NumpyBuilder.npy(description, [1], [UInt8](repeating: 0, count: 8)))
        }
        #expect(error?.code == "data.type")
    }

    @Test("a damaged array is an error and never a crash")
    func damaged() throws {
        let whole = NumpyBuilder.npy("'<f4'", [2, 3], NumpyBuilder.floats([1, 2, 3, 4, 5, 6]))
        for count in 0..<whole.count {
            #expect(throws: ConversionError.self, "\(count) bytes") { _ = try array(Array(whole[..<count])) }
        }
        var random = Numbers(state: 3)
        for round in 0..<2000 {
            var bytes = whole
            for _ in 0..<3 {
                let place = Int(abs(random.next()) * Float(bytes.count - 1))
                bytes[place] = UInt8(truncatingIfNeeded: Int(abs(random.next()) * 255))
            }
            do { _ = try array(bytes) } catch { #expect("data" ~= error, "round \(round): \(error)") }
        }
        for shape in ["(99999999999999999999,)", "(4294967296, 4294967296, 4294967296)", "(-1,)", "(1", "1", "(((("] {
            let text = Array("{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }".utf8)
            let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count), 0] + text
            #expect(throws: ConversionError.self, "\(shape)") { _ = try array(header) }
        }
    }

    @Test("an archive gives its arrays by name, and leaves alone those that nobody asks for")
    func archive() throws {
        let path = try folder.write(
            "a.npz",
            NumpyBuilder.npz([
                ("x", NumpyBuilder.npy("'|u1'", [2, 2], [1, 2, 3, 4])), ("names", NumpyBuilder.npy("'|O'", [1], [0])),
            ]))
        let file = try NumpyFile(path: path)
        #expect(file.names == ["names", "x"])
        #expect(try file.array("x")?.integers() == [1, 2, 3, 4])
        #expect(try file.array("y") == nil)
        let error = #expect(throws: ConversionError.self) { _ = try file.array("names") }
        #expect(error?.code == "data.type" && error?.site.tensor == "names")
    }

    @Test("the packed archive that comes with the samples is read")
    func packed() throws {
        let file = try NumpyFile(path: Checkout.path + "/Sources/rene/Samples/digits-test.npz")
        #expect(try file.array("x")?.shape == [540, 1, 8, 8])
        #expect(try file.array("y")?.integers().allSatisfy { (0...9).contains($0) } == true)
    }

    @Test("a damaged archive is an error and never a crash")
    func damagedArchive() throws {
        let whole = try ByteSource(
            file: OpenFile(path: Checkout.path + "/Sources/rene/Samples/digits-test.npz"), offset: 0,
            count: OpenFile(path: Checkout.path + "/Sources/rene/Samples/digits-test.npz").size
        ).bytes()
        var random = Numbers(state: 5)
        for round in 0..<60 {
            var bytes = whole
            if round % 2 == 0 { bytes.removeLast(Int(abs(random.next()) * Float(bytes.count))) }
            for _ in 0..<4 where !bytes.isEmpty {
                // The directory is at the end.
                let from = round % 3 == 0 ? max(0, bytes.count - 200) : 0
                let place = from + Int(abs(random.next()) * Float(bytes.count - 1 - from))
                bytes[place] = UInt8(truncatingIfNeeded: Int(abs(random.next()) * 255))
            }
            let path = try folder.write("damaged.npz", bytes)
            do {
                let file = try NumpyFile(path: path)
                for name in file.names { _ = try file.array(name) }
            } catch {
                #expect("data" ~= error || "input" ~= error, "round \(round): \(error)")
            }
        }
    }

    @Test("a file that is not there, or is something else, says so")
    func wrongFiles() throws {
        let missing = #expect(throws: ConversionError.self) { _ = try NumpyFile(path: folder.path + "/none.npz") }
        #expect(missing?.code == "data.missing" && missing?.kind == .missingInput)
        for (name, text) in [("text.npz", "hello"), ("empty.npz", ""), ("pk.npz", "PK\u{3}\u{4}")] {
            let path = try folder.write(name, Array(text.utf8))
            let error = #expect(throws: ConversionError.self) { _ = try NumpyFile(path: path) }
            #expect(error?.code == "data.format", "\(name)")
        }
    }

    @Test("arrays of every type are read as they were written, and the same arrays give the same bytes")
    func written() throws {
        var writer = NumpyWriter()
        let values = try TensorValue([1.5, -2, 0.25, 4, 5, 6], shape: [2, 3])
        let halves = try TensorValue([0.5, 2], shape: [2], type: .float16)
        let whole = try TensorValue([Int64.max, -1], shape: [1, 2])
        for (name, value) in [("x/out", values), ("halves", halves), ("whole", whole)] {
            writer.add(name, type: value.type, shape: value.shape, elements: try value.numpyElements())
        }
        writer.add("scalar", type: .bool, shape: [], elements: [1])
        try writer.write(to: folder.path + "/a.npz", replacing: false)
        try writer.write(to: folder.path + "/b.npz", replacing: true)
        #expect(try folder.read("a.npz") == folder.read("b.npz"))
        let file = try NumpyFile(path: folder.path + "/a.npz")
        #expect(file.names == ["halves", "scalar", "whole", "x/out"])
        let read = try #require(try file.array("x/out"))
        #expect(read.shape == [2, 3] && read.type == .float32)
        #expect(try read.tensor(1..<2).floats() == [4, 5, 6])
        #expect(try file.array("halves")?.tensor(0..<2).floats() == [0.5, 2])
        #expect(try file.array("whole")?.integers() == [Int64.max, -1])
        #expect(try file.array("scalar")?.shape == [])
    }

    @Test("an existing archive is only replaced when it may be, and a missing folder is an error")
    func replacing() throws {
        var writer = NumpyWriter()
        writer.add("x", type: .float32, shape: [1], elements: [0, 0, 0, 0])
        _ = try folder.write("a.npz", Array("kept".utf8))
        for (name, code) in [("a.npz", "output.exists"), ("none/a.npz", "output.cannot-write")] {
            let error = #expect(throws: ConversionError.self) {
                try writer.write(to: folder.path + "/" + name, replacing: false)
            }
            #expect(error?.code.name == code)
        }
        #expect(try folder.read("a.npz") == Array("kept".utf8))
    }
}
