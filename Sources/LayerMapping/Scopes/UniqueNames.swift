/// Names that are taken, and new ones that are not.
struct UniqueNames: Sendable {
    private var taken: Set<String> = []

    init() {}

    mutating func insert(_ name: String) { taken.insert(name) }

    func contains(_ name: String) -> Bool { taken.contains(name) }

    /// `wanted`, or `wanted_1`, `wanted_2`, … when it is taken; the name is taken afterwards.
    mutating func claim(_ wanted: String) -> String {
        if taken.insert(wanted).inserted { return wanted }
        var number = 1
        while !taken.insert("\(wanted)_\(number)").inserted { number += 1 }
        return "\(wanted)_\(number)"
    }
}
