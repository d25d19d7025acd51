internal import ConverterKit

/// Counts packed varints without decoding them.
enum VarintCount {
    /// The number of varints in the bytes `from ..< to`; throws `onnx.wire.varint` when one is longer than ten bytes or
    /// the last is cut short.
    static func count(in window: FileWindow, from: Int, to: Int) throws(ConversionError) -> Int {
        var numbers = 0
        var length = 0
        var isSound = true
        try unsafe window.withRuns(from: from, to: to) { run throws(ConversionError) in
            for index in run.indices {
                let byte = unsafe run[index]
                length += 1
                if byte < 0x80 {
                    isSound = isSound && (length < 10 || (length == 10 && byte <= 1))
                    numbers += 1
                    length = 0
                }
            }
        }
        guard isSound, length == 0 else {
            throw InputFault.bad("onnx.wire.varint", "packed numbers are malformed", offset: from)
        }
        return numbers
    }
}
