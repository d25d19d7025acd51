/// A pattern of names: `*` stands for any run of characters, `/` included, and `?` for any one.
struct Glob: Sendable, Hashable {
    let pattern: [Character]

    init(_ pattern: String) { self.pattern = Array(pattern) }

    /// Linear in the name for each star of the pattern.
    func matches(_ name: String) -> Bool {
        let name = Array(name)
        var position = 0
        var next = 0
        var star: (pattern: Int, name: Int)?
        while position < name.count {
            if next < pattern.count, pattern[next] == "*" {
                star = (next + 1, position)
                next += 1
            } else if next < pattern.count, pattern[next] == "?" || pattern[next] == name[position] {
                next += 1
                position += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                next = last.pattern
                position = last.name + 1
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == "*" }
    }
}
