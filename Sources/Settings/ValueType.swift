/// How a text of the environment or the command line becomes a value.
enum TextForm: Sendable {
    case scalar
    /// Separated by commas.
    case list
    /// `name=value`, separated by commas.
    case mapping
}

/// How a value of type `Value` is written: reading, showing and the schema in one place.
struct ValueType<Value>: Sendable {
    var form: TextForm
    var schema: JSONText
    var read: @Sendable (SettingsNode) throws(SettingsProblem) -> Value
    var show: @Sendable (Value) -> JSONText
}

extension ValueType where Value: Sendable {
    /// Nothing, written `null`, or a value; `nothing` is what nothing means, for the schema.
    static func optional<Wrapped>(_ type: ValueType<Wrapped>) -> ValueType<Value> where Value == Wrapped? {
        ValueType<Wrapped?>(
            form: type.form, schema: .object(["anyOf": .list([type.schema, .object(["type": .text("null")])])]),
            read: { node throws(SettingsProblem) in
                if case .null = node.content { return nil }
                return try type.read(node)
            },
            show: { $0.map(type.show) ?? .null })
    }
}

extension ValueType where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    /// One of the names of an enumeration.
    static var choice: ValueType {
        let names = Value.allCases.map(\.rawValue)
        let list = names.joined(separator: ", ")
        return ValueType(
            form: .scalar, schema: .object(["type": .text("string"), "enum": .list(names.map { .text($0) })]),
            read: { node throws(SettingsProblem) in
                guard let text = node.text else { throw node.wrongType(expected: "one of \(list)") }
                guard let value = Value(rawValue: text) else {
                    throw node.problem(
                        "settings.unknown-value", "\(node.kind) is not known", remedy: "Write one of \(list).")
                }
                return value
            },
            show: { .text($0.rawValue) })
    }
}

extension ValueType<Bool> {
    static let flag = ValueType(
        form: .scalar, schema: .object(["type": .text("boolean")]),
        read: { node throws(SettingsProblem) in
            switch node.plainText {
            case "true": return true
            case "false": return false
            default: throw node.wrongType(expected: "true or false")
            }
        },
        show: { .flag($0) })
}

extension ValueType<String> {
    /// A name of lower-case letters, digits and dashes, as decompositions, searches and exporters have.
    static let name = ValueType(
        form: .scalar, schema: .object(["type": .text("string"), "pattern": .text("^[a-z0-9][a-z0-9-]*$")]),
        read: { node throws(SettingsProblem) in
            guard let text = node.text else { throw node.wrongType(expected: "a name") }
            let allowed = text.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
            }
            guard allowed, !text.isEmpty, !text.hasPrefix("-") else {
                throw node.problem(
                    "settings.unknown-value", "\(node.kind) is not a name",
                    remedy: "Write a name of lower-case letters, digits and dashes.")
            }
            return text
        },
        show: { .text($0) })

    /// Any text but an empty one.
    static let pattern = ValueType(
        form: .scalar, schema: .object(["type": .text("string"), "minLength": .integer(1)]),
        read: { node throws(SettingsProblem) in
            guard let text = node.text else { throw node.wrongType(expected: "text") }
            guard !text.isEmpty else {
                throw node.problem(
                    "settings.out-of-range", "the text is empty", remedy: "Write some text or leave it out.")
            }
            return text
        },
        show: { .text($0) })
}
