internal import ConverterKit
internal import LinearAlgebra

/// Random numbers. Each node has a generator of its own, with the seed it states or one made of its name, so that a model
/// gives the same each time it is loaded.
enum RandomOperators {
    static let all = [normal, normalLike, uniform, uniformLike, bernoulli, multinomial]

    static let normal = Operator("RandomNormal", isPure: false) { try distributed($0, normalNumber) }
    static let normalLike = Operator("RandomNormalLike", isPure: false) { try distributed($0, normalNumber) }
    static let uniform = Operator("RandomUniform", isPure: false) { try distributed($0, uniformNumber) }
    static let uniformLike = Operator("RandomUniformLike", isPure: false) { try distributed($0, uniformNumber) }

    private typealias Draw = (inout SeededGenerator) -> Double

    private static func normalNumber(_ attributes: AttributeList) -> Draw {
        let mean = Double(attributes.float("mean", otherwise: 0))
        let scale = Double(attributes.float("scale", otherwise: 1))
        return { mean + scale * $0.normal() }
    }

    private static func uniformNumber(_ attributes: AttributeList) -> Draw {
        let low = Double(attributes.float("low", otherwise: 0))
        let high = Double(attributes.float("high", otherwise: 1))
        return { low + (high - low) * $0.uniform() }
    }

    private static func distributed(_ preparation: Preparation, _ number: (AttributeList) -> Draw) throws -> Prepared {
        let attributes = preparation.attributes
        let like = preparation.isStated(0) ? try preparation.fact(0) : nil
        guard let shape = like?.shape ?? attributes.ints("shape") else {
            throw ExecutionError.attribute("\(preparation.operation) without a shape")
        }
        _ = try shape.elementCount()
        let type = try attributes.elementType("dtype") ?? like?.type ?? .float32
        let result = TensorFact(type: type, shape: shape)
        let draw = number(attributes)
        var generator = generator(preparation.use)
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let to = unsafe arguments.output(0, T.self)
                for index in 0..<result.count { unsafe to[index] = T(clamping: draw(&generator)) }
            }
        }
        guard let element = type.storage?.element, type.isFloating else {
            throw ExecutionError.type("\(preparation.operation) of \(type)")
        }
        return make(element)
    }

    /// 1 with the probability that the input states, else 0.
    static let bernoulli = Operator("Bernoulli", isPure: false) { preparation in
        let fact = try preparation.fact(0)
        let type = try preparation.attributes.elementType("dtype") ?? fact.type
        var generator = generator(preparation.use)
        func make<T: Element, R: Element>(_: T.Type, _: R.Type) -> Prepared {
            Prepared([TensorFact(type: type, shape: fact.shape)]) { arguments in
                let (from, to) = unsafe (arguments.input(0, T.self), arguments.output(0, R.self))
                for index in 0..<fact.count {
                    unsafe to[index] = R(clamping: generator.uniform() < from[index].asDouble ? 1 : 0)
                }
            }
        }
        guard let element = fact.type.storage?.element, let other = type.storage?.element else {
            throw ExecutionError.type("Bernoulli of \(fact.type) to \(type)")
        }
        return make(element, other)
    }

    /// Classes drawn by unnormalised logarithms of their probabilities, `[batch, classes]` to `[batch, sample_size]`.
    static let multinomial = Operator("Multinomial", isPure: false) { preparation in
        let fact = try preparation.fact(0)
        let samples = preparation.attributes.int("sample_size", otherwise: 1)
        let type = try preparation.attributes.elementType("dtype") ?? .int32
        guard fact.shape.count == 2, fact.shape[1] > 0, samples >= 0 else {
            throw ExecutionError.shape("Multinomial of shape \(fact.shape)")
        }
        let result = TensorFact(type: type, shape: [fact.shape[0], samples])
        _ = try result.shape.elementCount()
        let classes = fact.shape[1]
        var generator = generator(preparation.use)
        func make<T: Element, R: Element>(_: T.Type, _: R.Type) -> Prepared {
            Prepared([result], scratch: classes * 8) { arguments in
                let (from, to) = unsafe (arguments.input(0, T.self), arguments.output(0, R.self))
                let sums = unsafe arguments.scratch(Double.self)
                for row in 0..<fact.shape[0] {
                    let logits = unsafe from + row * classes
                    var largest = -Double.infinity
                    for index in 0..<classes { unsafe largest = max(largest, logits[index].asDouble) }
                    var sum = 0.0
                    for index in 0..<classes {
                        unsafe sum += exponential(logits[index].asDouble - largest)
                        unsafe sums[index] = sum
                    }
                    for sample in 0..<samples {
                        let point = generator.uniform() * sum
                        var index = 0
                        while unsafe index < classes - 1 && sums[index] <= point { index += 1 }
                        unsafe to[row * samples + sample] = R(clamping: Double(index))
                    }
                }
            }
        }
        guard let element = fact.type.storage?.element, let other = type.storage?.element else {
            throw ExecutionError.type("Multinomial of \(fact.type) to \(type)")
        }
        return make(element, other)
    }

    private static func generator(_ use: OperatorUse) -> SeededGenerator {
        if let seed = use.attributes.float("seed") { return SeededGenerator(seed: UInt64(seed.bitPattern)) }
        // FNV-1a: the same in each process, which Swift's own hash is not.
        let hash = use.node.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return SeededGenerator(seed: hash)
    }
}
