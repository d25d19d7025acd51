/// Tests and conversions of the format's strings.
enum Text {
    /// True for UTF-8 without zero bytes: what a C string can hold.
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var isASCII = true
        for index in bytes.indices {
            let byte = unsafe bytes[index]
            if byte == 0 { return false }
            if byte >= 0x80 { isASCII = false }
        }
        return unsafe isASCII || String(validating: bytes, as: UTF8.self) != nil
    }

    /// The C string, or `nil` for a null pointer.
    static func string(_ pointer: UnsafeMutablePointer<CChar>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    static func strings(_ pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int) -> [String] {
        guard let pointer = unsafe pointer else { return [] }
        return (0..<count).map { unsafe string(pointer[$0]) ?? "" }
    }
}
