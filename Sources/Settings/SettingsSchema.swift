/// The JSON Schema of the settings file, made from the keys.
public enum SettingsSchema {
    /// The text of `Schemas/settings.schema.json`.
    public static var text: String { schema.pretty() + "\n" }

    private static var schema: JSONText {
        let job = SettingKey.all.filter { $0.scopes.contains(.sidecar) }
        let folder = SettingKey.all.filter { $0.scopes.contains(.folder) }
        let top = SettingKey.all.filter { $0.scopes.contains(.file) }
        return .object([
            "$schema": .text("https://json-schema.org/draft/2020-12/schema"),
            "title": .text("Settings of rene watch"),
            "description": .text("A file NAME.rene.yaml beside a model has the form of $defs/job."),
            "type": .text("object"),
            "properties": .object(top.map { reference($0, to: "folder", where: .folder) }),
            "additionalProperties": .flag(false),
            "$defs": .object([
                "folder": .object([
                    "type": .text("object"),
                    "properties": .object(folder.map { reference($0, to: "job", where: .sidecar) }),
                    "additionalProperties": .flag(false),
                ]),
                "job": .object([
                    "type": .text("object"),
                    "properties": .object(job.map { .init(name: $0.name, value: property($0)) }),
                    "additionalProperties": .flag(false),
                ]),
            ]),
        ])
    }

    /// The key, as a reference where a narrower place has it too.
    private static func reference(
        _ key: SettingKey, to place: String, where scope: SettingKey.Scope
    ) -> JSONText.Member {
        let shared = JSONText.object(["$ref": .text("#/$defs/\(place)/properties/\(key.name)")])
        return .init(name: key.name, value: key.scopes.contains(scope) ? shared : property(key))
    }

    private static func property(_ key: SettingKey) -> JSONText {
        guard case .object(let members) = key.schema else { return key.schema }
        return .object(
            [
                .init(name: "description", value: .text(key.summary)),
                .init(name: "default", value: key.show(DaemonSettings())),
            ] + members)
    }
}
