internal import ConverterKit

extension ScopeTree {
    /// True when a quantization annotation of the value's graph, or training information of the model, names the value.
    /// Both lie in fields that the kit does not model, so the name is looked for as a length-delimited first field.
    func isAnnotated(_ value: ValueID) -> Bool {
        let fields = [scopes[value.scope].unmodelled, model.unmodelled].filter { !$0.isEmpty }
        if fields.isEmpty { return false }
        let name = Array(value.name.utf8)
        var length = name.count
        var pattern: [UInt8] = [0x0A]
        while length > 0x7f {
            pattern.append(UInt8(length & 0x7f) | 0x80)
            length >>= 7
        }
        pattern.append(UInt8(length))
        pattern += name
        return fields.contains { $0.holds(pattern) }
    }
}

extension [UInt8] {
    /// Whether the bytes `pattern` occur in a row.
    func holds(_ pattern: [UInt8]) -> Bool {
        guard let first = pattern.first, count >= pattern.count else { return pattern.isEmpty }
        var start = 0
        while start <= count - pattern.count {
            if self[start] == first, self[start..<start + pattern.count].elementsEqual(pattern) { return true }
            start += 1
        }
        return false
    }
}
