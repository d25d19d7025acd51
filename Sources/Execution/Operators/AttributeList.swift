internal import ConverterKit

/// A node's attributes by name and kind. Getters give `nil` for an attribute that is not stated.
struct AttributeList {
    var values: [Attribute]

    init(_ values: [Attribute] = []) { self.values = values }

    subscript(name: String) -> Attribute.Value? { values.last { $0.name == name }?.value }

    func int(_ name: String) -> Int? {
        if case .int(let value)? = self[name] { Int(value) } else { nil }
    }

    func int(_ name: String, otherwise value: Int) -> Int { int(name) ?? value }

    func flag(_ name: String, otherwise value: Bool = false) -> Bool { int(name).map { $0 != 0 } ?? value }

    func ints(_ name: String) -> [Int]? {
        if case .ints(let values)? = self[name] { values.map { Int($0) } } else { nil }
    }

    func float(_ name: String) -> Float? {
        if case .float(let value)? = self[name] { value } else { nil }
    }

    func float(_ name: String, otherwise value: Float) -> Float { float(name) ?? value }

    func floats(_ name: String) -> [Float]? {
        if case .floats(let values)? = self[name] { values } else { nil }
    }

    func string(_ name: String) -> String? {
        if case .string(let bytes)? = self[name] { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    func strings(_ name: String) -> [String]? {
        if case .strings(let values)? = self[name] { values.map { String(decoding: $0, as: UTF8.self) } } else { nil }
    }

    func tensor(_ name: String) throws -> TensorValue? {
        if case .tensor(let tensor)? = self[name] { try TensorValue(tensor) } else { nil }
    }

    func graph(_ name: String) -> Graph? {
        if case .graph(let graph)? = self[name] { graph } else { nil }
    }
}

extension AttributeList: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (String, any AttributeConvertible)...) {
        values = elements.map { Attribute(name: $0.0, value: $0.1.attributeValue) }
    }

    mutating func set(_ name: String, _ value: any AttributeConvertible) {
        values.removeAll { $0.name == name }
        values.append(Attribute(name: name, value: value.attributeValue))
    }
}

/// A Swift value that an attribute can hold.
protocol AttributeConvertible {
    var attributeValue: Attribute.Value { get }
}

extension Int: AttributeConvertible { var attributeValue: Attribute.Value { .int(Int64(self)) } }
extension Bool: AttributeConvertible { var attributeValue: Attribute.Value { .int(self ? 1 : 0) } }
extension Float: AttributeConvertible { var attributeValue: Attribute.Value { .float(self) } }
extension String: AttributeConvertible { var attributeValue: Attribute.Value { .string(Array(utf8)) } }

/// A Swift value that an attribute can hold a list of.
protocol AttributeElement {
    static func list(_ values: [Self]) -> Attribute.Value
}

extension Int: AttributeElement {
    static func list(_ values: [Int]) -> Attribute.Value { .ints(values.map { Int64($0) }) }
}

extension Float: AttributeElement {
    static func list(_ values: [Float]) -> Attribute.Value { .floats(values) }
}

extension String: AttributeElement {
    static func list(_ values: [String]) -> Attribute.Value { .strings(values.map { Array($0.utf8) }) }
}

extension Array: AttributeConvertible where Element: AttributeElement {
    var attributeValue: Attribute.Value { Element.list(self) }
}
