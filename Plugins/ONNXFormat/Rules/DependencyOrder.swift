/// A depth-first walk over things that depend on each other; without recursion, so that a long chain costs no stack.
struct DependencyOrder {
    /// Each thing after those it depends on; incomplete when there is a cycle.
    private(set) var finished: [Int] = []
    /// The first cycle found, each thing before the one it depends on.
    private(set) var cycle: [Int]?

    /// `dependencies[i]` lists what `i` depends on. Time is linear in their number.
    init(_ dependencies: [[Int]]) {
        var isOpen = Array(repeating: false, count: dependencies.count)
        var isDone = isOpen
        for root in dependencies.indices where !isDone[root] {
            var path: [(thing: Int, next: Int)] = [(root, 0)]
            isOpen[root] = true
            while let (thing, next) = path.last {
                guard next < dependencies[thing].count else {
                    path.removeLast()
                    isDone[thing] = true
                    finished.append(thing)
                    continue
                }
                path[path.count - 1].next += 1
                let target = dependencies[thing][next]
                if isDone[target] { continue }
                if isOpen[target] {
                    let start = path.firstIndex { $0.thing == target } ?? 0
                    cycle = path[start...].map(\.thing)
                    return
                }
                isOpen[target] = true
                path.append((target, 0))
            }
        }
    }
}

/// Cycles as text.
enum CyclePath {
    /// "a → b → a"; the middle of a long one is left out.
    static func text(_ names: [String]) -> String {
        var shown = names + names.prefix(1)
        if shown.count > 13 {
            shown.replaceSubrange(6..<shown.count - 6, with: ["… \(shown.count - 12) more …"])
        }
        return shown.joined(separator: " → ")
    }
}
