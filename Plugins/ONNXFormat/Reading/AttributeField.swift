/// The kinds of attribute that the kit models: `AttributeProto.type` and the field that holds the value.
enum AttributeKind: Int32, CaseIterable {
    case float = 1
    case int = 2
    case string = 3
    case tensor = 4
    case graph = 5
    case floats = 6
    case ints = 7
    case strings = 8
    case tensors = 9
    case graphs = 10

    /// Number of the field that holds the value.
    var field: Int {
        switch self {
        case .float: 2
        case .int: 3
        case .string: 4
        case .tensor: 5
        case .graph: 6
        case .floats: 7
        case .ints: 8
        case .strings: 9
        case .tensors: 10
        case .graphs: 11
        }
    }

    var isRepeated: Bool { rawValue >= Self.floats.rawValue }
}

/// Which value fields of an attribute are there.
struct AttributePresence {
    private(set) var fields: Set<Int> = []
    private(set) var isRepeatedSingular = false
    var hasReference = false
    var hasName = false

    /// Fields of values that the kit does not model: types and sparse tensors.
    static let foreign: Set<Int> = [14, 15, 22, 23]

    mutating func note(_ number: Int) {
        switch number {
        case 1: hasName = true
        case 21: hasReference = true
        case 2...11:
            if !fields.insert(number).inserted && number < 7 { isRepeatedSingular = true }
        case _ where Self.foreign.contains(number): fields.insert(number)
        default: break
        }
    }

    /// The kind of a value whose attribute states no type, as before IR version 2: that of the one field there is.
    var inferredKind: AttributeKind? {
        guard fields.count == 1 else { return nil }
        return AttributeKind.allCases.first { fields.contains($0.field) }
    }

    /// True when writing name, type and value of `kind` gives the fields that are there.
    func isCanonical(_ kind: AttributeKind) -> Bool {
        guard hasName, !hasReference, !isRepeatedSingular else { return false }
        return fields == [kind.field] || (fields.isEmpty && kind.isRepeated)
    }
}
