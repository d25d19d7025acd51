extension ValueType where Value: FixedWidthInteger & Sendable {
    /// A whole number from `low` to `high`.
    static func integer(_ low: Value, _ high: Value) -> ValueType {
        var members: [JSONText.Member] = [.init(name: "type", value: .text("integer"))]
        members.append(.init(name: "minimum", value: .integer(Int(clamping: low))))
        // Beyond 2^53 a JSON reader may round; such a bound says nothing.
        if high < 1 << 53 { members.append(.init(name: "maximum", value: .integer(Int(clamping: high)))) }
        return ValueType(
            form: .scalar, schema: .object(members),
            read: { node throws(SettingsProblem) in
                guard let text = node.plainText, !text.isEmpty,
                    text.utf8.dropFirst(text.hasPrefix("-") ? 1 : 0)
                        .allSatisfy({ (0x30...0x39).contains($0) })
                else { throw node.wrongType(expected: "a whole number") }
                guard let value = Value(text), value >= low, value <= high else {
                    throw node.outOfRange("from \(low) to \(high)")
                }
                return value
            },
            show: { .integer(Int(clamping: $0)) })
    }
}

extension SettingsNode {
    func outOfRange(_ range: String) -> SettingsProblem {
        problem("settings.out-of-range", "\(kind) is out of range", remedy: "Write a value \(range).")
    }

    /// A finite number in decimal notation.
    var number: Double? {
        guard let text = plainText, text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }),
            let value = Double(text), value.isFinite
        else { return nil }
        return value
    }
}

extension ValueType<Double> {
    /// A number from `low` (which may be excluded) to below `high`.
    static func number(_ low: Double, below high: Double) -> ValueType {
        ValueType(
            form: .scalar,
            schema: .object([
                "type": .text("number"), "minimum": .number(low), "exclusiveMaximum": .number(high),
            ]),
            read: { node throws(SettingsProblem) in
                guard let value = node.number else { throw node.wrongType(expected: "a number") }
                guard value >= low, value < high else { throw node.outOfRange("from \(low) to below \(high)") }
                return value
            },
            show: { .number($0) })
    }

    /// Seconds, from `low` to `high`: a number, or a number with one of the units ms, s, m, h, d.
    static func duration(_ low: Double, _ high: Double) -> ValueType {
        let units: [(suffix: String, seconds: Double)] = [
            ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400),
        ]
        return ValueType(
            form: .scalar,
            schema: .object([
                "anyOf": .list([
                    .object(["type": .text("number"), "minimum": .number(low), "maximum": .number(high)]),
                    .object(["type": .text("string"), "pattern": .text("^[0-9]+([.][0-9]+)?(ms|s|m|h|d)$")]),
                ])
            ]),
            read: { node throws(SettingsProblem) in
                var seconds = node.number
                if seconds == nil, let text = node.text, let unit = units.first(where: { text.hasSuffix($0.suffix) }) {
                    seconds = SettingsNode.plain(String(text.dropLast(unit.suffix.count))).number.map {
                        $0 * unit.seconds
                    }
                }
                guard let seconds else { throw node.wrongType(expected: "a duration such as 30, 500ms, 5m, 2h or 7d") }
                guard seconds >= low, seconds <= high else { throw node.outOfRange("from \(low) to \(high) seconds") }
                return seconds
            },
            show: { .number($0) })
    }
}

extension ValueType<Int> {
    /// Bytes, at least `low`: a whole number, or a number with one of the units K, M, G, T (powers of 1024).
    static func bytes(atLeast low: Int) -> ValueType {
        ValueType(
            form: .scalar,
            schema: .object([
                "anyOf": .list([
                    .object(["type": .text("integer"), "minimum": .integer(low)]),
                    .object(["type": .text("string"), "pattern": .text("^[0-9]+([.][0-9]+)?[KMGTkmgt]$")]),
                ])
            ]),
            read: { node throws(SettingsProblem) in
                let expected = "a number of bytes such as 1048576, 800M or 2G"
                guard let text = node.text else { throw node.wrongType(expected: expected) }
                let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30, "T": 0x1p40]
                let unit = text.last.flatMap { units[Character($0.uppercased())] }
                let digits = SettingsNode(
                    content: unit == nil ? node.content : .scalar(String(text.dropLast()), quoted: false))
                guard let number = digits.number else { throw node.wrongType(expected: expected) }
                guard let bytes = Int(exactly: (number * (unit ?? 1)).rounded()), bytes >= low else {
                    throw node.outOfRange("of at least \(low) bytes")
                }
                return bytes
            },
            show: { .integer($0) })
    }
}
