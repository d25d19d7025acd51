extension BytePath: CustomStringConvertible {
    /// The path for logs and messages, on one line: backslashes, control characters, marks that reverse the writing
    /// direction, and bytes that are not UTF-8 are escaped, so that a name can neither forge a log line nor hide.
    public var description: String {
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
            if let decoded = String(validating: rest.prefix(length), as: UTF8.self),
                let scalar = decoded.unicodeScalars.first
            {
                text += Self.escaped(scalar)
                rest = rest.dropFirst(length)
            } else {
                text += "\\x" + Self.hexadecimal(UInt32(first), digits: 2)
                rest = rest.dropFirst()
            }
        }
        return text
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
                "\\u{\(hexadecimal(scalar.value, digits: 4))}"
            default: String(scalar)
            }
        }
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

extension BytePath {
    /// One line of printable ASCII from which `init(record:)` gives the same bytes back: bytes outside `!`…`~`, and
    /// `%`, become `%XX`.
    package var record: String {
        bytes.map { byte in
            byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%")
                ? String(Unicode.Scalar(byte)) : "%" + Self.hexadecimal(UInt32(byte), digits: 2)
        }.joined()
    }

    /// The path of a `record`; nil when an escape is malformed.
    package init?(record: some StringProtocol) {
        var result: [UInt8] = []
        var rest = Array(record.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            result.append(value)
            rest = rest.dropFirst(2)
        }
        self.init(result)
    }
}
