import Conversion
import ConverterKit
import FoundationEssentials
import Settings
import TestSupport
import Testing

/// The schema, the keys and the defaults are held against each other.
@Suite("The schema of the settings")
struct SchemaTests {
    struct Schema: Decodable {
        struct Job: Decodable {
            var properties: [String: Empty]
        }

        struct Empty: Decodable {}

        var properties: [String: Empty]
        var definitions: [String: Job]

        enum CodingKeys: String, CodingKey {
            case properties
            case definitions = "$defs"
        }
    }

    @Test("the committed schema is the one that the keys give")
    func committed() throws {
        let text = String(decoding: try file(), as: UTF8.self)
        #expect(text == SettingsSchema.text, "write SettingsSchema.text to Schemas/settings.schema.json")
    }

    private func file() throws -> [UInt8] {
        let file = try OpenFile(path: Checkout.path + "/Schemas/settings.schema.json")
        return try ByteSource(file: file, offset: 0, count: file.size).bytes()
    }

    @Test("the schema has every key of each place, and no other")
    func keys() throws {
        let schema = try JSONDecoder().decode(Schema.self, from: Data(file()))
        #expect(Set(schema.properties.keys) == Set(SettingKey.all.filter { $0.scopes.contains(.file) }.map(\.name)))
        #expect(
            Set(schema.definitions["job"]?.properties.keys.map { $0 } ?? [])
                == Set(SettingKey.all.filter { $0.scopes.contains(.sidecar) }.map(\.name)))
        #expect(
            Set(schema.definitions["folder"]?.properties.keys.map { $0 } ?? [])
                == Set(SettingKey.all.filter { $0.scopes.contains(.folder) }.map(\.name)))
    }

    @Test("every property of the conversion's settings has a key")
    func everyProperty() {
        let keys: [String: String] = [
            "decomposition": "decomposition", "search": "search", "reduce": "reduce", "maxError": "max_error",
            "rankMultiple": "rank_multiple", "include": "include", "exclude": "exclude", "ranks": "rank",
            "inputShapes": "input_shape", "seed": "seed", "threads": "threads", "timeLimit": "time_limit",
            "memoryLimit": "memory_limit", "format": "format", "overwrite": "overwrite", "data": "data",
            "validationData": "validation_data", "normalize": "normalize", "maxDrop": "max_drop",
            "fineTuning": "fine_tune", "teacher": "teacher",
        ]
        // An option for demonstrations, which a settings file does not have.
        let exempt: Set = ["fullRank"]
        let names = Set(SettingKey.all.map(\.name))
        for property in Mirror(reflecting: ConversionSettings()).children.compactMap(\.label)
        where !exempt.contains(property) {
            #expect(keys[property].map { names.contains($0) } == true, "ConversionSettings.\(property) has no key")
        }
    }

    @Test("the defaults that the settings print read back as the defaults")
    func defaults() throws {
        let settings = DaemonSettings()
        #expect(try DaemonSettings(file: .parse(settings.json, name: "defaults")) == settings)
        let conversion = ConversionSettings()
        #expect(settings.conversion == conversion)
    }

    @Test("each key has a summary that is a sentence, and a variable of its own")
    func texts() {
        for key in SettingKey.all {
            #expect(key.summary.hasSuffix("."), "\(key.name)")
            #expect(key.summary.first?.isUppercase == true, "\(key.name)")
        }
        #expect(Set(SettingKey.all.map(\.variable)).count == SettingKey.all.count)
    }
}
