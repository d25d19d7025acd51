import Conversion
import ConverterKit
import PluginHost
import TestSupport
import Testing

@Suite("Conversion")
struct ConverterTests {
    let plugins = PluginRegistry(loadingFrom: [BuildFolder.path])
    let folder: TemporaryFolder
    let source: String

    init() throws {
        folder = try TemporaryFolder()
        source = try plugins.exporter(named: "onnx")
            .exportModel(SmallNetwork.model(), to: folder.path, name: "net", options: ExportOptions()).file
    }

    private func convert(_ change: (inout ConversionSettings) -> Void = { _ in }, to name: String = "out") async throws
        -> Converter.Outcome
    {
        var settings = ConversionSettings()
        change(&settings)
        return try await Converter(plugins: plugins, settings: settings) { _ in }
            .convert(source, to: "\(folder.path)/\(name)")
    }

    private func read(_ path: String) throws -> Model {
        try plugins.importer(for: path).importModel(at: path, limits: ImportLimits())
    }

    @Test("factorizes the layer of low rank, keeps the others and says why")
    func convertsByDefault() async throws {
        let outcome = try await convert()
        let layers = Dictionary(uniqueKeysWithValues: outcome.report.layers.map { ($0.node, $0) })
        #expect(layers["conv2"]?.decomposition != nil)
        #expect(layers["conv2"]?.relativeError ?? 1 <= 0.02)
        #expect(layers["head"]?.reason == "classifier-head")
        #expect(layers["conv1"]?.decomposition == nil && layers["conv1"]?.reason != nil)
        #expect(outcome.report.reduction.parameters > 0.5 && outcome.report.reduction.macs > 0.5)
        #expect(outcome.report.verification?.readBack == true)
        let model = try read(outcome.published.model)
        #expect(model.graph.inputs.first?.name == "x" && model.graph.outputs.first?.name == "y")
        #expect(model.irVersion == 8 && model.operatorSetVersion() == 17)
        #expect(model.metadata.first?.value == "somebody")
        #expect(model.graph.nodes.contains { $0.outputs == ["c"] }, "the last link keeps the output's name")
    }

    @Test("writes the model and two reports and leaves nothing else behind")
    func leavesNoTrace() async throws {
        _ = try await convert()
        let out = Shell.run("ls -A '\(folder.path)/out'").output
        #expect(out == "net.onnx\nnet.report.html\nnet.report.json\n")
    }

    @Test("gives the same bytes twice, and the same weights whatever the number of threads")
    func isDeterministic() async throws {
        let first = try await convert({ $0.threads = 1 }, to: "first")
        let second = try await convert({ $0.threads = 1 }, to: "second")
        #expect(first.report.result?.sha256 != nil)
        #expect(first.report.result?.sha256 == second.report.result?.sha256)
        // The settings' digest is in the metadata and differs by the threads; the factors must not.
        let other = try await convert({ $0.threads = 2 }, to: "other")
        let weights = try [first, other].map { outcome in
            try read(outcome.published.model).graph.initializers.map { try $0.packedBytes() }
        }
        #expect(weights[0] == weights[1])
    }

    @Test("reaches the shares that were asked for, each and together")
    func reachesBudgets() async throws {
        for (index, reduce) in [
            [Reduction(.params, 0.5)], [Reduction(.macs, 0.6)], [Reduction(.params, 0.5), Reduction(.macs, 0.5)],
        ]
        .enumerated() {
            let report = try await convert({ $0.reduce = reduce }, to: "out\(index)").report
            for reduction in reduce {
                let reached =
                    reduction.quantity == .params ? report.reduction.parameters : report.reduction.macs
                #expect(reached >= reduction.share, "\(reduce)")
            }
        }
    }

    @Test("a budget that cannot be met is an error that says what can, and writes nothing")
    func unreachable() async throws {
        let error = await #expect(throws: ConversionError.self) {
            _ = try await convert { $0.reduce = [Reduction(.params, 0.999)] }
        }
        #expect(error?.code == "search.unreachable")
        #expect(error?.message.contains("%") ?? false)
        #expect(!folder.entries.contains("out"))
    }

    @Test("a model in which nothing can be gained is passed on unchanged, byte for byte")
    func passesOnUnchanged() async throws {
        let outcome = try await convert { $0.maxError = 0 }
        #expect(try folder.read("out/net.onnx") == folder.read("net.onnx"))
        #expect(outcome.report.reduction.parameters == 0)
        #expect(!outcome.report.notes.isEmpty)
    }

    @Test("an existing output is never replaced unless asked")
    func keepsExisting() async throws {
        _ = try await convert()
        let before = try folder.read("out/net.onnx")
        let error = await #expect(throws: ConversionError.self) { _ = try await convert { $0.maxError = 0 } }
        #expect(error?.code == "output.exists")
        #expect(try folder.read("out/net.onnx") == before)
        _ = try await convert {
            $0.maxError = 0
            $0.overwrite = true
        }
        #expect(try folder.read("out/net.onnx") == folder.read("net.onnx"))
    }

    @Test("a weight that is not finite keeps its layer, and the others go on")
    func nonFinite() async throws {
        var model = SmallNetwork.model()
        model.graph.initializers[0] = SmallNetwork.tensor(
            "conv1.weight", [32, 3, 3, 3], [Float](repeating: .nan, count: 864))
        let path = try plugins.exporter(named: "onnx")
            .exportModel(model, to: folder.path, name: "nan", options: ExportOptions()).file
        let report = try Converter(plugins: plugins, settings: ConversionSettings()) { _ in }.plan(path)
        #expect(report.layers.first { $0.node == "conv1" }?.reason == "non-finite-weights")
        #expect(report.layers.first { $0.node == "conv2" }?.decomposition != nil)
    }

    @Test("converting the output again leaves one set of provenance")
    func isIdempotent() async throws {
        let first = try await convert()
        let again = try await Converter(plugins: plugins, settings: ConversionSettings()) { _ in }
            .convert(first.published.model, to: folder.path + "/again")
        let keys = try read(again.published.model).metadata.compactMap(\.key)
        #expect(Set(keys).count == keys.count)
        #expect(keys.contains("rene.source_sha256") && keys.contains("owner"))
    }

    @Test("a conversion that takes too long is given up and leaves nothing")
    func timeLimit() async throws {
        let error = await #expect(throws: ConversionError.self) { _ = try await convert { $0.timeLimit = 1e-9 } }
        #expect(error?.code == "conversion.time-limit")
        #expect(error?.kind == .temporary)
        #expect(!folder.entries.contains("out"))
    }

    @Test("unknown names are usage errors that list the known ones")
    func unknownNames() async throws {
        for change: (inout ConversionSettings) -> Void in [{ $0.decomposition = ["qr"] }, { $0.search = "guess" }] {
            let error = await #expect(throws: ConversionError.self) { _ = try await convert(change) }
            #expect(error?.kind == .usage)
            #expect(error?.remedy.contains("knapsack") == true || error?.remedy.contains("tucker") == true)
        }
    }
}
