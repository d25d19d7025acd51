import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

/// Every registered gradient against central differences of the same operator, in single precision.
@Suite("Gradients")
struct GradientSuiteTests {
    @Test("The reverse pass agrees with finite differences", arguments: GradientCases.all, [UInt64(1), 2])
    func reversePassAgreesWithFiniteDifferences(_ item: GradientCase, seed: UInt64) throws {
        do {
            var use = try GradientUse(item, seed: seed)
            for index in item.inputs.indices where item.inputs[index]?.isVaried ?? false {
                let gradient = try use.gradient(of: index)
                let expected = try use.differences(of: index)
                let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
                let error = zip(gradient, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
                #expect(
                    error <= item.tolerance * max(norm, 1e-2),
                    """
                    input \(index) of \(item.testDescription), shapes \(use.shapes), seed \(seed): \
                    \(gradient.prefix(12)) where differences say \(expected.prefix(12))
                    """)
            }
        } catch {
            Issue.record("\(item.testDescription), seed \(seed): \(error)")
        }
    }

    @Test func everyGradientHasACase() {
        let covered = Set(GradientCases.all.map(\.key)).union(GradientCases.exempt.keys)
        let missing = OperatorRegistry.all.filter { $0.gradient != nil && !covered.contains($0.key) }
        #expect(missing.isEmpty, "no gradient case for \(missing.map(\.key.description).sorted())")
    }

    @Test func onlyOwnOperatorsAreExempt() {
        for key in GradientCases.exempt.keys { #expect(key.domain == "rene", "\(key)") }
    }
}

/// A case with its extents and values drawn: `L = Σ w ∘ y` over the floating outputs, with random weights.
private struct GradientUse {
    private let item: GradientCase
    private let program = Program(pool: ThreadPool.shared(width: 2))
    private var ids: [ValueID?] = []
    private var values: [[Float]] = []
    private(set) var shapes: [[Int]] = []
    private var outputs: [(id: ValueID, weights: [Float])] = []
    private let forward: Plan
    private let backward: Plan
    private var gradients: [ValueID?] = []

    init(_ item: GradientCase, seed: UInt64) throws {
        self.item = item
        var random = SeededGenerator(seed: seed)
        var extents: [Int: Int] = [:]
        for extent in [GradientCase.m, GradientCase.n, GradientCase.k] {
            extents[extent] = Int.random(in: GradientCase.drawn, using: &random)
        }
        for (index, input) in item.inputs.enumerated() {
            var (shape, elements): ([Int], [Float]) = ([], [])
            var id: ValueID?
            switch input {
            case .varied(let stated, let range), .fixed(let stated, let range):
                shape = stated.map { extents[$0] ?? $0 }
                elements = range.draw(shape.reduce(1, *), &random)
                id = program.addParameter("input \(index)", TensorFact(type: .float32, shape: shape))
            case .integers(let content, let stated):
                shape = stated ?? [content.count]
                id = program.constant(try TensorValue(content.map { Int64($0) }, shape: shape))
            case .floats(let content, let stated):
                shape = stated ?? [content.count]
                id = program.constant(try TensorValue(content, shape: shape))
            case .bools(let content, let stated):
                shape = stated ?? [content.count]
                id = program.constant(
                    try TensorValue(elements: content.map { UInt8($0 ? 1 : 0) }, shape: shape, type: .bool))
            case nil: break
            }
            ids.append(id)
            values.append(elements)
            shapes.append(shape)
        }
        let use = OperatorUse(item.key, item.attributes, version: item.version, node: "case")
        let made = try program.emit(use, ids, wanted: [Bool](repeating: true, count: item.outputs))
        var seeds: [ValueID: ValueID] = [:]
        for id in made.compactMap({ $0 }) {
            let fact = try program.fact(id)
            guard fact.type.isFloating else { continue }
            let weights = random.normals(fact.count)
            outputs.append((id, weights))
            seeds[id] = program.constant(try TensorValue(weights, shape: fact.shape))
        }
        forward = try Plan(program, outputs: outputs.map(\.id))
        let targets = ids.enumerated().compactMap { index, id in item.inputs[index]?.isVaried ?? false ? id : nil }
        let found = Dictionary(
            zip(targets, try program.addGradients(of: seeds, for: targets)), uniquingKeysWith: { first, _ in first })
        gradients = ids.map { id in id.flatMap { found[$0] ?? nil } }
        backward = try Plan(program, outputs: gradients.compactMap { $0 })
        for plan in [forward, backward] {
            for index in ids.indices { try set(index, in: plan) }
        }
        try backward.run()
    }

    private func set(_ index: Int, in plan: Plan) throws {
        switch item.inputs[index] {
        case .varied, .fixed: break
        default: return
        }
        guard let id = ids[index] else { return }
        try plan.set(id, to: .tensor(TensorValue(values[index], shape: shapes[index])))
    }

    /// `∂L/∂input`; zeros where the operator says that it does not matter.
    func gradient(of index: Int) throws -> [Double] {
        guard let id = gradients[index] else { return values[index].map { _ in 0 } }
        return try backward.value(of: id, copying: true).tensor().doubles()
    }

    /// Central differences of fourth order, element by element.
    mutating func differences(of index: Int) throws -> [Double] {
        var step = 0.01
        if case .varied(_, let range)? = item.inputs[index] { step = range.step(values[index].count) }
        var result: [Double] = []
        for element in values[index].indices {
            let centre = values[index][element]
            func loss(_ distance: Double) throws -> Double {
                values[index][element] = Float(Double(centre) + distance)
                try set(index, in: forward)
                return try self.loss()
            }
            let near = try loss(step) - loss(-step)
            let far = try loss(2 * step) - loss(-2 * step)
            result.append((8 * near - far) / (12 * step))
            values[index][element] = centre
        }
        try set(index, in: forward)
        return result
    }

    private func loss() throws -> Double {
        try forward.run()
        return try outputs.reduce(0) { sum, output in
            let elements = try forward.value(of: output.id, copying: true).tensor().doubles()
            return zip(elements, output.weights).reduce(sum) { $0 + $1.0 * Double($1.1) }
        }
    }
}
