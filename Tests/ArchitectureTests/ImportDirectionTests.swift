import FoundationEssentials
import TestSupport
import Testing

/// Who may import whom. The package's own description is read; an edge that is not in this table fails.
@Suite("Architecture")
struct ImportDirectionTests {
    static let allowed: [String: Set<String>] = [
        "COpenBLAS": [],
        "CLinux": [],
        "COpenSSL": [],
        "CZip": [],
        "LinearAlgebra": ["COpenBLAS"],
        "Decompositions": ["LinearAlgebra"],
        "CKernels": [],
        "Execution": ["ConverterKit", "CKernels", "LinearAlgebra"],
        "FineTuning": ["ConverterKit", "CKernels", "Execution", "LinearAlgebra"],
        "LayerMapping": ["ConverterKit", "Decompositions"],
        "RankSearch": ["Decompositions", "LinearAlgebra"],
        "PluginHost": ["ConverterKit", "PluginManifest"],
        "Conversion": [
            "ConverterKit", "CLinux", "COpenSSL", "CZip", "PluginHost", "LinearAlgebra", "Decompositions", "Execution",
            "FineTuning",
            "LayerMapping", "RankSearch", "Subprocess", "SystemPackage",
        ],
        "WatchFolder": [],
        "JobStore": ["GRDB"],
        "Settings": ["ConverterKit", "Conversion", "FineTuning", "Yams"],
        // Of the rooms below Conversion the names of their registries only, to check settings against.
        "Daemon": [
            "ConverterKit", "CLinux", "Conversion", "JobStore", "Settings", "WatchFolder", "Decompositions",
            "RankSearch", "Logging", "ServiceLifecycle", "UnixSignals",
        ],
        "rene": [
            "CLinux", "ConverterKit", "PluginHost", "Conversion", "FineTuning", "Daemon", "LinearAlgebra",
            "Decompositions",
            "LayerMapping", "RankSearch", "ArgumentParser", "Logging",
        ],
        "CProtobufC": [],
        "CONNX": ["CProtobufC"],
        "ONNXFormat": ["ConverterKit", "CONNX"],
        "ONNXImporter": ["ConverterKit", "ONNXFormat", "ONNXImporterManifest"],
        "ONNXExporter": ["ConverterKit", "ONNXFormat", "ONNXExporterManifest"],
        "ONNXImporterManifest": ["PluginManifest"],
        "ONNXExporterManifest": ["PluginManifest"],
        "rene-check-onnx": [],
    ]

    struct Description: Decodable {
        struct Target: Decodable {
            var name: String
            var type: String
            var path: String?
            var dependencies: [[String: [Dependency?]]]
        }

        /// A dependency is an array whose first entry is the name; the others are strings, objects or null.
        struct Dependency: Decodable {
            var name: String?

            init(from decoder: any Decoder) throws {
                name = try? decoder.singleValueContainer().decode(String.self)
            }
        }

        var targets: [Target]
    }

    static func description() throws -> Description {
        let folder = try TemporaryFolder()
        let command =
            "swift package --package-path '\(Checkout.path)' --scratch-path '\(folder.path)' dump-package 2>/dev/null"
        let (json, status) = Shell.run(command)
        try #require(status == 0, "swift package dump-package ended with \(status)")
        return try JSONDecoder().decode(Description.self, from: Data(json.utf8))
    }

    @Test("no target depends on another that the architecture does not name")
    func importDirections() throws {
        let targets = try Self.description().targets
        #expect(targets.count > 15)
        for target in targets where target.type != "test" && !(target.path?.hasPrefix("Tests/") ?? false) {
            let names = target.dependencies.compactMap { $0.values.first?.first??.name }
            let allowed = try #require(Self.allowed[target.name], "\(target.name) is not in the architecture's table")
            #expect(Set(names).subtracting(allowed).isEmpty, "\(target.name) depends on \(names)")
        }
    }

    @Test("nothing in Sources imports a plugin, and no plugin imports anything of Sources but the kit")
    func pluginsStandApart() {
        let plugins = Shell.run(
            "grep -rlE '^(public |internal |package )?import (ONNX|CONNX)' '\(Checkout.path)/Sources'")
        #expect(plugins.output.isEmpty)
        let sources = Shell.run(
            "grep -rhoE '^(public |internal |package )?import [A-Za-z]+' '\(Checkout.path)/Plugins' | awk '{print $NF}' | sort -u"
        )
        let imported = Set(sources.output.split(separator: "\n").map(String.init))
        #expect(imported.contains("ConverterKit"))
        #expect(
            imported.isSubset(of: ["ConverterKit", "ONNXFormat", "CONNX", "CProtobufC", "Glibc", "Synchronization"]))
    }

    @Test("the top level holds the six entries, the three documents and dot-files only")
    func topLevel() {
        let entries = Set(
            Shell.run("git -C '\(Checkout.path)' ls-tree --name-only HEAD").output.split(separator: "\n").map(
                String.init))
        let allowed: Set = [
            "Package.swift", "Sources", "Plugins", "Tests", "Schemas", "Scripts", "README.md", "LICENSE",
            "CHANGELOG.md",
        ]
        let extra = entries.filter { !$0.hasPrefix(".") }.subtracting(allowed)
        #expect(extra.isEmpty)
        #expect(entries.contains("Package.swift"))
    }
}
