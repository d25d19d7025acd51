import ConverterKit
import Glibc
import PluginHost
import TestSupport
import Testing

/// ONNX's plugins lie beside the test binary: SwiftPM builds the libraries of the package with the tests. The others are
/// packages of their own, which Scripts/test builds before.
@Suite("Plugin loading")
struct PluginHostTests {
    static let misbehaving = "\(Checkout.path)/Tests/MisbehavingPlugins/.build/release"
    static let template = "\(Checkout.path)/Tests/PluginTemplate/.build/release"

    let registry = PluginRegistry(loadingFrom: [BuildFolder.path, misbehaving])

    @Test("finds the importer and the exporter of ONNX")
    func findsONNX() throws {
        #expect(registry.plugins.map(\.name).contains("onnx-importer"))
        #expect(registry.plugins.map(\.name).contains("onnx-exporter"))
        _ = try registry.importer(for: "folder/model.onnx")
        _ = try registry.exporter(named: "onnx")
    }

    @Test("refuses a plugin that states another kit, without running its code")
    func refusesLyingPlugin() {
        #expect(!registry.plugins.map(\.name).contains("lying"))
        let refusal = registry.refusals.first { $0.site.file?.contains("LyingPlugin") ?? false }
        #expect(refusal?.code == "plugin.kit-version")
        #expect(refusal?.kind == .pluginUnavailable)
    }

    @Test("passes on what a plugin throws, with its code")
    func passesOnErrors() throws {
        let importer = try registry.importer(for: "model.throwing")
        let error = #expect(throws: ConversionError.self) {
            _ = try importer.importModel(at: "model.throwing", limits: ImportLimits())
        }
        #expect(error?.code == "throwing.always")
    }

    @Test("names the formats it has when one is missing")
    func missingFormat() {
        let error = #expect(throws: ConversionError.self) { _ = try registry.importer(for: "model.unheard-of") }
        #expect(error?.code == "plugin.format-unknown")
        #expect(error?.message.contains("onnx") ?? false)
        #expect(error?.kind.exitStatus == 69)
    }

    @Test("a library that is no library is refused and ends nothing")
    func refusesGarbage() throws {
        let folder = try TemporaryFolder()
        try folder.write("libbroken.so", [0x7f, 0x45, 0x4c, 0x46, 0, 0])
        let registry = PluginRegistry(loadingFrom: [folder.path, BuildFolder.path])
        #expect(registry.refusals.contains { $0.code == "plugin.cannot-load" })
        #expect(registry.plugins.map(\.name).contains("onnx-importer"))
    }

    @Test("a third party's plugin, built in a package of its own, is loaded and works")
    func loadsTemplate() throws {
        let registry = PluginRegistry(loadingFrom: [Self.template])
        #expect(registry.plugins.map(\.name) == ["template"], "\(registry.refusals)")
        let folder = try TemporaryFolder()
        try folder.write("model.graph.txt", Array("hidden = Relu input\noutput = Neg hidden\n".utf8))
        let model = try registry.importer(for: "model.graph.txt")
            .importModel(at: folder.path + "/model.graph.txt", limits: ImportLimits())
        #expect(model.graph.nodes.map(\.operation) == ["Relu", "Neg"])
        let written = try registry.exporter(named: "text-graph")
            .exportModel(model, to: folder.path, name: "copy", options: ExportOptions())
        #expect(try folder.read("copy.graph.txt") == folder.read("model.graph.txt"))
        #expect(written.dataFiles.isEmpty)
    }

    @Test("looks in given folders, then the environment's, then the installed one, then beside the program")
    func folderOrder() {
        let folders = PluginFolders(given: ["/a"], environment: "/b:/c", executable: "/opt/rene/bin/rene")
        #expect(folders.folders == ["/a", "/b", "/c", "/opt/rene/lib/rene/plugins", "/opt/rene/bin"])
    }
}
