internal import Conversion

extension ValueType<Normalization> {
    /// `mean=0.5,0.5,0.5,std=0.25,scale=1/255`, every part optional.
    static let normalization: ValueType = {
        let number = "-?[0-9.]+(e-?[0-9]+)?(/[0-9.]+)?"
        let part = "(mean|std|scale)=\(number)(,\(number))*"
        return ValueType(
            form: .scalar,
            schema: .object(["type": .text("string"), "pattern": .text("^\(part)(,\(part))*$")]),
            read: { node throws(SettingsProblem) in
                let example = "text such as mean=0.5,std=0.5,scale=1/255"
                guard let text = node.text else { throw node.wrongType(expected: example) }
                guard let value = Normalization(parsing: text) else {
                    throw node.problem(
                        "settings.unknown-value", "'\(text)' is not \(example)", remedy: "Write \(example).")
                }
                return value
            },
            show: { .text($0.text) })
    }()
}
