import ConverterKit
import Decompositions
import LayerMapping
import Testing

@Suite struct RewriteTests {
    @Test func namesThatAreTakenGetANumber() throws {
        var model = Build.single(
            ReasonTests.matMul(), weights: [try Build.tensor("w", [8, 8]), try Build.tensor("w/svd_0", [1])],
            input: [1, 8])
        model.graph.nodes.append(Build.node("Neg", ["y"], ["h/svd_0"], name: "n/svd_1"))
        let result = try rewritten(model)
        #expect(result.graph.initializers.map { $0.name ?? "" } == ["w/svd_0_1", "w/svd_1", "w/svd_0"])
        #expect(result.graph.nodes.map { $0.name ?? "" } == ["n/svd_0", "n/svd_1_1", "relu", "n/svd_1"])
        #expect(result.graph.nodes[0].outputs == ["h/svd_0_1"])
    }

    @Test func namesOfInnerGraphsAndFunctionsAreTakenToo() throws {
        var model = try ReasonTests.plain()
        let inner = Build.graph(
            inputs: [], outputs: [Build.info("w/svd_0", nil)],
            nodes: [Build.node("Identity", ["x"], ["w/svd_0"], name: "n/svd_0")])
        model.graph.nodes.insert(
            Build.node("If", ["flag"], ["i"], [("then_branch", .graph(inner)), ("else_branch", .graph(inner))]), at: 0)
        model.graph.inputs.append(Build.info("flag", [], type: .bool))
        let result = try rewritten(model)
        #expect(result.graph.initializers.map { $0.name ?? "" } == ["w/svd_0_1", "w/svd_1"])
        #expect(result.graph.nodes.dropFirst().map { $0.name ?? "" } == ["n/svd_0_1", "n/svd_1", "relu"])
    }

    @Test func theLastLinkKeepsWhatTheNodeCarries() throws {
        var model = try ReasonTests.plain()
        model.graph.nodes[0].docString = "said"
        model.graph.nodes[0].unmodelled = [1, 2, 3]
        model.graph.valueInfo = [Build.info("h", [1, 8]), Build.info("w", [8, 8])]
        let result = try rewritten(model)
        #expect(result.graph.nodes[0].docString == nil && result.graph.nodes[0].unmodelled.isEmpty)
        #expect(result.graph.nodes[1].docString == "said" && result.graph.nodes[1].unmodelled == [1, 2, 3])
        #expect(result.graph.nodes[1].outputs == ["h"])
        #expect(result.graph.valueInfo.map { $0.name ?? "" } == ["h"])
    }

    @Test func anUnnamedNodeIsNamedByItsPlace() throws {
        var model = try ReasonTests.plain()
        model.graph.nodes[0].name = nil
        let map = try LayerMap(of: model)
        #expect(map.layers.map(\.id) == ["MatMul_0"])
        #expect(try rewritten(model).graph.nodes[0].name == "MatMul_0/svd_0")
    }

    @Test(arguments: [ElementType.float32, .float64, .float16, .bfloat16])
    func factorsAreStoredInTheTypeOfTheWeight(type: ElementType) throws {
        let model = Build.single(
            ReasonTests.matMul(), weights: [try Build.tensor("w", [8, 8], type: type)], input: [1, 8])
        let result = try rewritten(model)
        #expect(result.graph.initializers.map(\.elementType) == [type, type])
        #expect(try result.graph.initializers[0].floats() == model.graph.initializers[0].floats())
    }

    @Test func aFactorThatDoesNotFitTheTypeIsAnError() throws {
        let model = Build.single(
            ReasonTests.matMul(), weights: [try Build.tensor("w", [8, 8], type: .float16)], input: [1, 8])
        let layer = try #require(try LayerMap(of: model).layers.first)
        var chain = try Chain.identityLast(layer)
        chain.links[0].weight[3] = 1e6
        let error = try #require(throws: ConversionError.self) {
            try model.replacing([Replacement(layer: layer, chain: chain, decomposition: "svd")])
        }
        #expect(error.code == "tensor.overflow" && error.site.node == "n")
        chain.links[0].weight[3] = .nan
        let other = try #require(throws: ConversionError.self) {
            try model.replacing([Replacement(layer: layer, chain: chain, decomposition: "svd")])
        }
        #expect(other.code == "mapping.non-finite-factor")
    }

    @Test func weightsBesideTheModelStayBesideIt() throws {
        var model = try ReasonTests.plain()
        let bytes = try model.graph.initializers[0].packedBytes()
        model.graph.initializers[0].payload = .external(
            ExternalData(
                location: "weights.data", offset: 4096, length: 256,
                entries: [MetadataEntry(key: "checksum", value: "1")], bytes: ByteSource(bytes)))
        for tensor in try rewritten(model).graph.initializers {
            guard case .external(let external) = tensor.payload else {
                Issue.record("the factor \(tensor.name ?? "") is not external")
                continue
            }
            #expect(external.location == "weights.data" && external.offset == nil && external.entries.isEmpty)
            #expect(external.bytes.count == 256)
        }
    }

    @Test func theStoreDecidesWhereFactorsLie() throws {
        let model = try ReasonTests.plain()
        let layer = try #require(try LayerMap(of: model).layers.first)
        let failure = ConversionError("test.full", .inputOutput, "full", remedy: "none")
        let error = try #require(throws: ConversionError.self) {
            try model.replacing(
                [Replacement(layer: layer, chain: try Chain.identityLast(layer), decomposition: "svd")],
                store: { (_) throws(ConversionError) in throw failure })
        }
        #expect(error.code == "test.full")
    }

    @Test(arguments: [Int64(3), 7])
    func initializersThatAreListedAsInputsStayListed(irVersion: Int64) throws {
        var model = try ReasonTests.plain()
        model.irVersion = irVersion
        model.graph.inputs.append(Build.info("w", [8, 8]))
        let result = try rewritten(model)
        #expect(result.graph.inputs.map { $0.name ?? "" } == ["x", "w/svd_0", "w/svd_1"])
        #expect(result.graph.inputs[1].tensorType == TensorType(elementTypeNumber: 1, shape: [.fixed(8), .fixed(8)]))
        #expect(result.irVersion == irVersion)
        #expect(try LayerMap(of: result).layers.count == 2)
    }

    @Test func sharedWeightsStayShared() throws {
        var model = try ReasonTests.plain()
        model.graph.nodes.insert(Build.node("MatMul", ["x", "w"], ["z"], name: "m"), at: 0)
        let map = try LayerMap(of: model)
        let layer = try #require(map.layers.first)
        #expect(map.layers.count == 1 && layer.nodeIDs == ["m", "n"] && layer.uses == 2)
        #expect(layer.dense.parameters == 64 && layer.dense.macs == 128)
        #expect(map.cost.parameters == 64 && map.cost.macs == 128)
        let result = try rewritten(model)
        #expect(result.graph.initializers.count == 2)
        #expect(result.graph.nodes.map { $0.name ?? "" } == ["m/svd_0", "m/svd_1", "n/svd_0", "n/svd_1", "relu"])
        #expect(result.graph.nodes[0].inputs[1] == result.graph.nodes[2].inputs[1])
    }

    @Test func chainsThatDoNotFitAreRefused() throws {
        let model = try ReasonTests.plain()
        let layer = try #require(try LayerMap(of: model).layers.first)
        let good = try Chain.identityLast(layer)
        let bad: [FactorChain] = [
            FactorChain(links: []), FactorChain(links: [good.links[0], good.links[1], link(8, 4)]),
            FactorChain(links: [link(8, 3), link(4, 8)]), FactorChain(links: [link(7, 3), link(3, 8)]),
        ]
        for chain in bad {
            let error = try #require(throws: ConversionError.self) {
                try model.replacing([Replacement(layer: layer, chain: chain, decomposition: "svd")])
            }
            #expect(error.code == "mapping.chain-mismatch" && error.kind == .internal, "\(chain.links.map(\.shape))")
        }
        let stale = try #require(throws: ConversionError.self) {
            try rewritten(model).replacing([Replacement(layer: layer, chain: good, decomposition: "svd")])
        }
        #expect(stale.code == "mapping.stale-layer")
    }

    private func link(_ inChannels: Int, _ outChannels: Int) -> FactorLink {
        FactorLink(
            shape: .init(inChannels: inChannels, outChannels: outChannels, kernel: [], axes: []),
            weight: [Float](repeating: 0, count: inChannels * outChannels))
    }

    private func rewritten(_ model: Model) throws -> Model {
        let map = try LayerMap(of: model)
        return try model.replacing(
            try map.layers.map {
                Replacement(layer: $0, chain: try Chain.identityLast($0), decomposition: "svd")
            })
    }
}
