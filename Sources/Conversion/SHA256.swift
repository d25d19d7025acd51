internal import COpenSSL
package import ConverterKit

/// Digests through libcrypto.
package enum SHA256 {
    /// The digest of a whole file in hexadecimal.
    package static func digest(ofFile path: String) throws(ConversionError) -> String {
        let file = try OpenFile(path: path)
        return try unsafe digest(length: file.size) { offset, buffer throws(ConversionError) in
            try unsafe file.read(at: offset, into: buffer)
        }
    }

    /// The digest of `bytes` in hexadecimal.
    package static func digest(of bytes: [UInt8]) throws(ConversionError) -> String {
        let source = ByteSource(bytes)
        return try unsafe digest(length: bytes.count) { offset, buffer throws(ConversionError) in
            try unsafe source.read(at: offset, into: buffer)
        }
    }

    private static func digest(
        length: Int, read: (Int, UnsafeMutableRawBufferPointer) throws(ConversionError) -> Void
    ) throws(ConversionError) -> String {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { throw failure }
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { unsafe chunk.deallocate() }
        var offset = 0
        while offset < length {
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: chunk[..<min(chunk.count, length - offset)])
            try unsafe read(offset, part)
            guard unsafe EVP_DigestUpdate(context, part.baseAddress, UInt(part.count)) == 1 else { throw failure }
            offset += part.count
        }
        var digest = [UInt8](repeating: 0, count: 32)
        guard unsafe EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw failure }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static var failure: ConversionError {
        ConversionError("internal.digest", .internal, "libcrypto refused to compute SHA-256", remedy: "Report this.")
    }
}
