/// Files of numpy's, byte by byte.
public enum NumpyBuilder {
    /// An array in version 1 of NPY.
    public static func npy(
        _ description: String, _ shape: [Int], _ elements: [UInt8], fortran: Bool = false, version: UInt8 = 1
    ) -> [UInt8] {
        let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        let dictionary =
            "{'descr': \(description), 'fortran_order': \(fortran ? "True" : "False"), 'shape': (\(extents)), }\n"
        let header = Array(dictionary.utf8)
        let length = version == 1 ? number(header.count, 2) : number(header.count, 4)
        return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + header + elements
    }

    public static func floats(_ values: [Float]) -> [UInt8] {
        values.flatMap { number(Int($0.bitPattern), 4) }
    }

    public static func integers(_ values: [Int]) -> [UInt8] { values.flatMap { number($0, 8) } }

    /// A ZIP archive of arrays, stored as they are.
    public static func npz(_ arrays: [(name: String, npy: [UInt8])]) -> [UInt8] {
        var (files, directory): ([UInt8], [UInt8]) = ([], [])
        for (name, content) in arrays {
            let title = Array((name + ".npy").utf8)
            let facts =
                number(20, 2) + number(0, 2) + number(0, 2) + number(0, 4) + number(Int(checksum(content)), 4)
                + number(content.count, 4) + number(content.count, 4) + number(title.count, 2) + number(0, 2)
            directory +=
                number(0x0201_4b50, 4) + number(20, 2) + facts + number(0, 2) + number(0, 2) + number(0, 2)
                + number(0, 4) + number(files.count, 4) + title
            files += number(0x0403_4b50, 4) + facts + title + content
        }
        return files + directory + number(0x0605_4b50, 4) + number(0, 4) + number(arrays.count, 2)
            + number(arrays.count, 2) + number(directory.count, 4) + number(files.count, 4) + number(0, 2)
    }

    private static func number(_ value: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// CRC-32.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0xedb8_8320 : rest >> 1 }
        }
    }
}
