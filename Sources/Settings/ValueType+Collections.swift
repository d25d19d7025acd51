internal import Conversion

extension ValueType {
    /// A list, or a single value in place of a list of one.
    static func list<Element>(_ element: ValueType<Element>, atLeast least: Int = 0) -> ValueType
    where Value == [Element], Element: Sendable {
        ValueType(
            form: .list,
            schema: .object([
                "anyOf": .list([
                    element.schema,
                    .object(["type": .text("array"), "items": element.schema, "minItems": .integer(least)]),
                ])
            ]),
            read: { node throws(SettingsProblem) in
                guard case .list(let items) = node.content else { return [try element.read(node)] }
                guard items.count >= least else {
                    throw node.problem(
                        "settings.out-of-range", "the list is empty",
                        remedy: "Write at least one value, or leave it out.")
                }
                var values: [Element] = []
                for (index, item) in items.enumerated() {
                    do throws(SettingsProblem) {
                        values.append(try element.read(item))
                    } catch {
                        throw error.within("[\(index)]")
                    }
                }
                return values
            },
            show: { .list($0.map(element.show)) })
    }

    /// A mapping of names to values.
    static func mapping<Element>(
        _ element: ValueType<Element>, keys: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }
    ) -> ValueType where Value == [String: Element], Element: Sendable {
        ValueType(
            form: .mapping,
            schema: .object(["type": .text("object"), "additionalProperties": element.schema]),
            read: { node throws(SettingsProblem) in
                guard case .mapping(let pairs) = node.content else { throw node.wrongType(expected: "a mapping") }
                var values: [String: Element] = [:]
                for (key, value) in pairs {
                    guard let name = key.text, keys(name) else {
                        throw key.problem(
                            "settings.unknown-key", "\(key.kind) is not a name that belongs here",
                            remedy: "Correct the name.")
                    }
                    do throws(SettingsProblem) {
                        values[name] = try element.read(value)
                    } catch {
                        throw error.within(name)
                    }
                }
                return values
            },
            show: { values in
                .object(values.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: element.show($0.value)) })
            })
    }
}

extension ValueType<[Int]> {
    /// Positive whole numbers: one, a list of them, or text such as `8x12`.
    static let numbers: ValueType = {
        let integer = ValueType<Int>.integer(1, 1 << 31)
        return ValueType(
            form: .scalar,
            schema: .object([
                "anyOf": .list([
                    integer.schema,
                    .object(["type": .text("array"), "items": integer.schema, "minItems": .integer(1)]),
                    .object(["type": .text("string"), "pattern": .text("^[0-9]+(x[0-9]+)*$")]),
                ])
            ]),
            read: { node throws(SettingsProblem) in
                var node = node
                if let text = node.text {
                    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
                    node.content = .list(
                        parts.map { SettingsNode(content: .scalar(String($0), quoted: false), place: node.place) })
                }
                return try ValueType.list(integer, atLeast: 1).read(node)
            },
            show: { .list($0.map { .integer($0) }) })
    }()
}

extension ValueType<[Reduction]> {
    /// `params=50%`, a list of such, or a mapping `params: 50%`.
    static let reductions: ValueType = {
        let names = Reduction.Quantity.allCases.map(\.rawValue)
        let text = JSONText.object([
            "type": .text("string"),
            "pattern": .text("^(\(names.joined(separator: "|")))=[0-9]+([.][0-9]+)?%?$"),
        ])
        let share = JSONText.object([
            "anyOf": .list([
                .object(["type": .text("number"), "minimum": .integer(0), "exclusiveMaximum": .integer(1)]),
                .object(["type": .text("string"), "pattern": .text("^[0-9]+([.][0-9]+)?%$")]),
            ])
        ])
        let example = "a share such as params=50%, macs=0.5 or bytes=30%"
        @Sendable func one(_ node: SettingsNode, _ text: String) throws(SettingsProblem) -> Reduction {
            guard let reduction = Reduction(parsing: text) else {
                throw node.problem("settings.unknown-value", "'\(text)' is not \(example)", remedy: "Write \(example).")
            }
            return reduction
        }
        return ValueType(
            form: .list,
            schema: .object([
                "anyOf": .list([
                    text, .object(["type": .text("array"), "items": text]),
                    .object([
                        "type": .text("object"),
                        "properties": .object(names.map { .init(name: $0, value: share) }),
                        "additionalProperties": .flag(false),
                    ]),
                ])
            ]),
            read: { node throws(SettingsProblem) in
                var result: [Reduction] = []
                switch node.content {
                case .scalar(let text, _): result.append(try one(node, text))
                case .list(let items):
                    for item in items {
                        guard let text = item.text else { throw item.wrongType(expected: example) }
                        result.append(try one(item, text))
                    }
                case .mapping(let pairs):
                    for (key, value) in pairs {
                        guard let quantity = key.text, let share = value.text else {
                            throw value.wrongType(expected: "a share such as 50% or 0.5")
                        }
                        result.append(try one(value, "\(quantity)=\(share)"))
                    }
                case .null: throw node.wrongType(expected: example)
                }
                return result
            },
            show: { .list($0.map { .text("\($0.quantity.rawValue)=\($0.share)") }) })
    }()
}
