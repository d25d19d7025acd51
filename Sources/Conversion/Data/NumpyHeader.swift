internal import ConverterKit

/// The header of an array in numpy's format NPY (versions 1 to 3): magic, version, length, and a Python dictionary.
///
///     "\x93NUMPY" major minor length(2 or 4 bytes) {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
struct NumpyHeader: Equatable {
    /// numpy's description of the elements, such as `<f4`; `nil` for a structured type.
    var description: String?
    var isFortranOrder: Bool
    var shape: [Int]
    /// Bytes before the elements.
    var byteCount: Int

    static let magic = [0x93] + Array("NUMPY".utf8)
    static let longest = 1 << 16
    private static let mostAxes = 32

    /// Reads the header at the start of `bytes`. Throws `data.format`.
    init(_ bytes: ByteSource) throws(ConversionError) {
        func read(_ offset: Int, _ count: Int) throws(ConversionError) -> [UInt8] {
            guard offset + count <= bytes.count else { throw DataError.format("the array's header is cut short") }
            var result = [UInt8](repeating: 0, count: count)
            var failure: ConversionError?
            unsafe result.withUnsafeMutableBytes { buffer in
                do throws(ConversionError) { try unsafe bytes.read(at: offset, into: buffer) } catch { failure = error }
            }
            if let failure { throw failure }
            return result
        }
        let start = try read(0, 8)
        guard Array(start[..<6]) == Self.magic else { throw DataError.format("the array does not begin as NPY does") }
        let lengthBytes = start[6] == 1 ? 2 : 4
        guard (1...3).contains(start[6]) else { throw DataError.format("NPY of version \(start[6]) is not known") }
        let length = try read(8, lengthBytes).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.longest else { throw DataError.format("the array's header has \(length) bytes") }
        let text = try read(8 + lengthBytes, length)
        try self.init(dictionary: text, byteCount: 8 + lengthBytes + length)
    }

    init(dictionary: [UInt8], byteCount: Int) throws(ConversionError) {
        var parser = Parser(text: dictionary)
        self.byteCount = byteCount
        var (hasType, order, extents): (Bool, Bool?, [Int]?) = (false, nil, nil)
        try parser.expect("{")
        while !parser.take("}") {
            let key = try parser.string()
            try parser.expect(":")
            switch key {
            case "descr":
                hasType = true
                // A list describes a structure.
                if parser.next == UInt8(ascii: "[") { try parser.skipList() } else { description = try parser.string() }
            case "fortran_order": order = try parser.flag()
            case "shape": extents = try parser.numbers(atMost: Self.mostAxes)
            default: throw DataError.format("the array's header has the key \(key)")
            }
            if !parser.take(",") {
                try parser.expect("}")
                break
            }
        }
        guard hasType, let order, let extents else { throw DataError.format("the array's header lacks a key") }
        (isFortranOrder, shape) = (order, extents)
    }

    /// The few tokens of Python that a header is made of.
    private struct Parser {
        let text: [UInt8]
        var place = 0

        init(text: [UInt8]) { self.text = text }

        /// The first byte that is not blank.
        var next: UInt8? {
            mutating get {
                while place < text.count, [0x20, 0x0a, 0x09].contains(text[place]) { place += 1 }
                return place < text.count ? text[place] : nil
            }
        }

        mutating func take(_ character: Character) -> Bool {
            guard next == character.asciiValue else { return false }
            place += 1
            return true
        }

        mutating func expect(_ character: Character) throws(ConversionError) {
            guard take(character) else { throw malformed }
        }

        mutating func string() throws(ConversionError) -> String {
            guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""),
                let end = text[(place + 1)...].firstIndex(of: quote)
            else { throw malformed }
            defer { place = end + 1 }
            return String(decoding: text[(place + 1)..<end], as: UTF8.self)
        }

        mutating func flag() throws(ConversionError) -> Bool {
            for (word, value) in [("True", true), ("False", false)] where next != nil {
                if text[place...].starts(with: word.utf8) {
                    place += word.utf8.count
                    return value
                }
            }
            throw malformed
        }

        mutating func numbers(atMost most: Int) throws(ConversionError) -> [Int] {
            try expect("(")
            var result: [Int] = []
            while !take(")") {
                guard result.count < most, next != nil else { throw malformed }
                let digits = text[place...].prefix { (0x30...0x39).contains($0) }
                guard let value = Int(String(decoding: digits, as: UTF8.self)) else { throw malformed }
                place += digits.count
                // Python 2 wrote long integers so.
                _ = take("L")
                result.append(value)
                if !take(",") {
                    try expect(")")
                    break
                }
            }
            return result
        }

        /// A bracket with all that is in it.
        mutating func skipList() throws(ConversionError) {
            var depth = 0
            while let byte = next {
                if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                    _ = try string()
                    continue
                }
                place += 1
                if byte == UInt8(ascii: "[") { depth += 1 }
                if byte == UInt8(ascii: "]") { depth -= 1 }
                if depth == 0 { return }
            }
            throw malformed
        }

        private var malformed: ConversionError { DataError.format("the array's header is malformed at byte \(place)") }
    }
}
