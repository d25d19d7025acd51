import ConverterKit
import LinearAlgebra
import TestSupport
import Testing

@testable import Execution

/// What the passes make faster stays the same: outputs, losses and gradients, with and without each of them.
@Suite("Passes")
struct PassTests {
    @Test("Inference with all passes agrees with plain operators", arguments: [1, 9, 16, 20, 33], [UInt64(1), 2])
    func inferenceAgrees(images: Int, seed: UInt64) throws {
        let network = try SmallNetwork(seed: seed)
        let input = try Self.images(images, seed: seed)
        let fast = try GraphExecutor(network.model, threads: 2).run(["image": .tensor(input)])
        let program = Program(pool: ThreadPool.shared(width: 2))
        var lowering = Lowering(into: program, functions: [:], versions: network.model.operatorSets)
        let id = program.addInput("image", input.fact)
        lowering.bind("image", to: id)
        try lowering.lower(network.model.graph)
        let output = try lowering.output("logits")
        let plain = try Plan(program, outputs: [output]).run([id: .tensor(input)])
        let (got, wanted) = (try #require(fast["logits"]).tensor(), try plain[0].tensor())
        #expect(got.shape == [images, SmallNetwork.classes])
        let error = try Self.relativeError(got.floats(), wanted.floats())
        #expect(error < 2e-5, "\(images) images, seed \(seed): \(error)")
    }

    @Test(
        "Loss and gradients agree with plain operators",
        arguments: [[], .chains, .normalization, .lanes, .all] as [TrainingGraph.Optimizations], [true, false])
    func gradientsAgree(optimizations: TrainingGraph.Optimizations, byBatch: Bool) throws {
        let plain = try Self.step(optimizations: [], byBatch: byBatch)
        let fast = try Self.step(optimizations: optimizations, byBatch: byBatch)
        #expect(abs(plain.loss - fast.loss) < 1e-4 * abs(plain.loss))
        #expect(plain.gradients.keys == fast.gradients.keys)
        let largest = plain.gradients.values.map(Self.norm).max() ?? 0
        for (name, wanted) in plain.gradients {
            let got = try #require(fast.gradients[name])
            let difference = Self.norm(zip(got, wanted).map { $0 - $1 })
            // That of a bias before a normalization by the batch is zero but for rounding.
            let error = difference / max(Self.norm(wanted), 1e-3 * largest)
            // A value that rounding takes to the other side of a Relu moves gradients by more than rounding does.
            #expect(error < 5e-3, "\(name), optimizations \(optimizations.rawValue), by batch \(byBatch): \(error)")
        }
    }

    @Test func lanesNeedFullBlocksInTraining() throws {
        // 20 images leave lanes empty: statistics would count them, so the layout is not used.
        let even = try Self.step(optimizations: .all, byBatch: true, images: 20)
        let plain = try Self.step(optimizations: [], byBatch: true, images: 20)
        #expect(abs(even.loss - plain.loss) < 1e-4 * abs(plain.loss))
    }

    @Test func trainingLowersTheLoss() throws {
        let run = try Self.Run(optimizations: .all, byBatch: true, images: 32)
        let first = try run.plan.step()
        for _ in 0..<60 {
            _ = try run.plan.step()
            unsafe run.plan.update { _, weight, gradient, count in
                for index in 0..<count { unsafe weight[index] -= 0.1 * gradient[index] }
            }
        }
        #expect(try run.plan.step() < 0.5 * first)
    }

    // MARK: -

    struct Run {
        let plan: TrainingPlan

        init(optimizations: TrainingGraph.Optimizations, byBatch: Bool, images: Int) throws {
            let network = try SmallNetwork(seed: 3)
            let graph = TrainingGraph(threads: 2)
            graph.optimizations = optimizations
            let input = try graph.input(
                "images", type: .float32, shape: [images, 3, SmallNetwork.side, SmallNetwork.side])
            let labels = try graph.input("labels", type: .int64, shape: [images])
            let values = try graph.add(
                network.model, inputs: ["image": input],
                mode: .init(trained: network.weightNames, normalizesByBatch: byBatch))
            let loss = try graph.crossEntropy(#require(values("logits")), labels: labels)
            plan = try graph.compiled(loss: loss)
            try plan.set(input, to: PassTests.images(images, seed: 5))
            try plan.set(
                labels,
                to: TensorValue((0..<images).map { Int64($0 % SmallNetwork.classes) }, shape: [images]))
        }
    }

    static func step(optimizations: TrainingGraph.Optimizations, byBatch: Bool, images: Int = 32) throws -> (
        loss: Float, gradients: [String: [Float]]
    ) {
        let run = try Run(optimizations: optimizations, byBatch: byBatch, images: images)
        let loss = try run.plan.step()
        var gradients: [String: [Float]] = [:]
        for name in run.plan.parameterNames { gradients[name] = try run.plan.gradient(name)?.floats() }
        return (loss, gradients)
    }

    static func images(_ count: Int, seed: UInt64) throws -> TensorValue {
        var generator = SeededGenerator(seed: seed)
        let size = count * 3 * SmallNetwork.side * SmallNetwork.side
        return try TensorValue(
            (0..<size).map { _ in Float(generator.normal()) },
            shape: [count, 3, SmallNetwork.side, SmallNetwork.side])
    }

    static func norm(_ values: [Float]) -> Double {
        values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    static func relativeError(_ values: [Float], _ wanted: [Float]) -> Double {
        guard values.count == wanted.count else { return .infinity }
        return norm(zip(values, wanted).map { $0 - $1 }) / max(norm(wanted), 1e-10)
    }
}
