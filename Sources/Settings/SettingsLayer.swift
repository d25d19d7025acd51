internal import Conversion

/// Checked values from one source, ready to be laid over others.
struct SettingsLayer: Sendable {
    private(set) var assignments: [(key: SettingKey, assign: SettingKey.Assignment)] = []

    func apply(to settings: inout DaemonSettings) {
        for (_, assign) in assignments { assign(&settings) }
    }

    /// The values that this layer gives.
    var shown: [JSONText.Member] {
        var settings = DaemonSettings()
        apply(to: &settings)
        return assignments.map { .init(name: $0.key.name, value: $0.key.show(settings)) }
    }

    var summary: String { JSONText.object(shown).line }

    /// Reads a mapping of keys. All problems are returned; what is in order is in the layer.
    static func read(
        _ root: SettingsNode, scope: SettingKey.Scope, vocabulary: SettingsVocabulary?
    ) -> (layer: SettingsLayer, problems: [SettingsProblem]) {
        var layer = SettingsLayer()
        var problems: [SettingsProblem] = []
        var seen: Set<String> = []
        switch root.content {
        case .null: return (layer, [])
        case .scalar, .list:
            return (
                layer,
                [
                    root.problem(
                        "settings.not-a-mapping", "\(root.kind) is not a mapping of settings",
                        remedy: "Write one setting a line, such as max_error: 0.02.")
                ]
            )
        case .mapping(let pairs):
            for (keyNode, value) in pairs {
                do throws(SettingsProblem) {
                    let key = try lookUp(keyNode, scope: scope)
                    guard seen.insert(key.name).inserted else {
                        throw keyNode.problem(
                            "settings.duplicate-key", "\(key.name) is given twice", remedy: "Keep one of them.")
                    }
                    problems += layer.add(key, value, vocabulary: vocabulary)
                } catch {
                    problems.append(error)
                }
            }
        }
        return (layer, problems)
    }

    /// Reads one value; returns what is wrong with it.
    mutating func add(_ key: SettingKey, _ value: SettingsNode, vocabulary: SettingsVocabulary?) -> [SettingsProblem] {
        if key.name == "folders" {
            let (rules, problems) = Self.folders(value, vocabulary: vocabulary)
            assignments.append((key, { $0.folders = rules }))
            return problems.map { $0.within(key.name) }
        }
        do throws(SettingsProblem) {
            let assign = try key.read(value)
            assignments.append((key, assign))
            var settings = DaemonSettings()
            assign(&settings)
            guard let problem = vocabulary?.problem(key.name, settings, at: value) else { return [] }
            return [problem.within(key.name)]
        } catch {
            return [error.within(key.name)]
        }
    }

    /// The settings by folder, in their order, and all that is wrong with them.
    static func folders(
        _ node: SettingsNode, vocabulary: SettingsVocabulary?
    ) -> (rules: [FolderRule], problems: [SettingsProblem]) {
        guard case .mapping(let pairs) = node.content else {
            return ([], [node.wrongType(expected: "a mapping of folders to settings")])
        }
        var rules: [FolderRule] = []
        var problems: [SettingsProblem] = []
        for (key, value) in pairs {
            guard let text = key.text, let pattern = FolderPattern(text) else {
                problems.append(
                    key.problem(
                        "settings.out-of-range", "\(key.kind) is not a pattern of folders below the inbox",
                        remedy: "Write a relative path such as vision or vision/*; ** stands for any folders."))
                continue
            }
            let (layer, found) = read(value, scope: .folder, vocabulary: vocabulary)
            problems += found.map { $0.within(text) }
            rules.append(FolderRule(pattern: pattern, layer: layer))
        }
        return (rules, problems)
    }

    private static func lookUp(_ node: SettingsNode, scope: SettingKey.Scope) throws(SettingsProblem) -> SettingKey {
        guard let name = node.text else { throw node.wrongType(expected: "the name of a setting") }
        guard let key = SettingKey.named(name) else {
            let known = SettingKey.all.filter { $0.scopes.contains(scope) }.map(\.name)
            let near = Spelling.nearest(to: SettingKey.normal(name), among: known)
            throw node.problem(
                "settings.unknown-key", "there is no setting \(node.kind)",
                remedy: near.map { "Did you mean \($0)?" } ?? "The settings are: \(known.joined(separator: ", ")).")
        }
        guard key.scopes.contains(scope) else {
            throw node.problem(
                "settings.misplaced-key", "\(key.name) cannot be set here",
                remedy: key.scopes == [.file]
                    ? "Set it at the top of the settings file."
                    : "Set it at the top of the settings file, by \(key.variable) or by an option.")
        }
        return key
    }
}

/// The names that plugins and registries know, where the caller has them: then unknown ones are found while the
/// settings are read and not by the first job.
public struct SettingsVocabulary: Sendable {
    public var decompositions: Set<String>?
    public var searches: Set<String>?
    public var formats: Set<String>?
    public var stages: Set<String>?

    public init(
        decompositions: Set<String>? = nil, searches: Set<String>? = nil, formats: Set<String>? = nil,
        stages: Set<String>? = nil
    ) {
        self.decompositions = decompositions
        self.searches = searches
        self.formats = formats
        self.stages = stages
    }

    /// What is unknown among the names that setting `key` has in `settings`.
    func problem(_ key: String, _ settings: DaemonSettings, at node: SettingsNode) -> SettingsProblem? {
        let (names, known): ([String], Set<String>?) =
            switch key {
            case "decomposition": (settings.conversion.decomposition, decompositions?.union(["auto"]))
            case "search": ([settings.conversion.search], searches)
            case "format": ([settings.conversion.format], formats)
            case "stage_deadlines": (settings.stageDeadlines.keys.sorted(), stages?.union(["default"]))
            default: ([], nil)
            }
        guard let known, let unknown = names.first(where: { !known.contains($0) }) else { return nil }
        return node.problem(
            "settings.unknown-value", "'\(unknown)' is not known",
            remedy: Spelling.nearest(to: unknown, among: known.sorted()).map { "Did you mean \($0)?" }
                ?? "Write one of \(known.sorted().joined(separator: ", ")).")
    }
}

/// Suggestions for misspelt names.
enum Spelling {
    /// The name that is fewest edits away, if they are few.
    static func nearest(to name: String, among names: [String]) -> String? {
        let limit = max(1, min(3, name.count / 3))
        guard name.utf8.count <= 64 else { return nil }
        return names.map { (name: $0, edits: distance(Array(name.utf8), Array($0.utf8))) }
            .filter { $0.edits <= limit }.min { $0.edits < $1.edits }?.name
    }

    /// Insertions, deletions and replacements that turn one into the other.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j + 1] + 1, row[j] + 1)
            }
        }
        return row[right.count]
    }
}
