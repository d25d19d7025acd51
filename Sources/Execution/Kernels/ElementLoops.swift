internal import ConverterKit

/// Kernels of elementwise operators over any element type, on several threads. Single precision has loops of its own.
enum ElementLoops {
    /// y = f(x).
    static func map<T: Element, U: Element>(
        count: Int, _ function: @escaping @Sendable (T) -> U
    ) -> Kernel {
        { arguments in
            let x = unsafe arguments.input(0, T.self)
            let y = unsafe arguments.output(0, U.self)
            arguments.pool.split(count, grain: BroadcastLoops.grain) { range in
                for index in range { unsafe y[index] = function(x[index]) }
            }
        }
    }

    static func map(count: Int, _ function: FloatMap) -> Kernel {
        { arguments in
            let x = unsafe arguments.input(0, Float.self)
            let y = unsafe arguments.output(0, Float.self)
            arguments.pool.split(count, grain: BroadcastLoops.grain) { range in
                unsafe function(y + range.lowerBound, x + range.lowerBound, range.count)
            }
        }
    }

    /// y = a ∘ b; the first two inputs.
    static func zip<T: Element, B: Element, U: Element>(
        _ loops: BroadcastLoops, _ function: @escaping @Sendable (T, B) -> U
    ) -> Kernel {
        let (aStep, bStep) = (loops.steps[0], loops.steps[1])
        return { arguments in
            let a = unsafe arguments.input(0, T.self)
            let b = unsafe arguments.input(1, B.self)
            let y = unsafe arguments.output(0, U.self)
            loops.run(arguments.pool) { run in
                for index in 0..<run.length {
                    unsafe y[run.start + index] = function(a[run.a + index * aStep], b[run.b + index * bStep])
                }
            }
        }
    }

    static func zip(_ loops: BroadcastLoops, _ function: FloatBinary) -> Kernel {
        let (aStep, bStep) = (loops.steps[0], loops.steps[1])
        return { arguments in
            let a = unsafe arguments.input(0, Float.self)
            let b = unsafe arguments.input(1, Float.self)
            let y = unsafe arguments.output(0, Float.self)
            loops.run(arguments.pool) { run in
                unsafe function.run(y + run.start, a + run.a, aStep, b + run.b, bStep, run.length)
            }
        }
    }

    /// Copies the elements of one tensor, of any type.
    static func copy(_ fact: TensorFact) -> Kernel {
        let bytes = fact.byteCount
        return { arguments in
            unsafe arguments.output(0, UInt8.self).update(from: arguments.input(0, UInt8.self), count: bytes)
        }
    }
}

extension Preparation {
    /// The types and extents of all inputs, which are of one type. Throws `execution.type` when they are not.
    func factsOfOneType() throws -> [TensorFact] {
        let facts = try inputs.indices.map { try fact($0) }
        guard let first = facts.first else { throw ExecutionError.missingInput("number 0 of \(use.key)") }
        guard facts.allSatisfy({ $0.type == first.type }) else {
            throw ExecutionError.type("\(use.key) of \(facts.map { "\($0.type)" }.joined(separator: " and "))")
        }
        return facts
    }

    /// The numeric storage of a type. Throws `execution.type` for strings.
    func storage(_ type: ElementType) throws -> (storage: StorageType, element: any Element.Type) {
        guard let storage = type.storage, let element = storage.element else { throw unsuitable(type) }
        return (storage, element)
    }

    func unsuitable(_ type: ElementType) -> ConversionError { ExecutionError.type("\(use.key) of \(type)") }

    /// The two operands' facts and how they are walked, with the `broadcast` and `axis` attributes of versions before
    /// 7.
    func pair(sameType: Bool = true) throws -> (a: TensorFact, b: TensorFact, loops: BroadcastLoops) {
        let a = try fact(0)
        var b = try fact(1)
        if sameType, a.type != b.type { throw ExecutionError.type("\(use.key) of \(a.type) and \(b.type)") }
        if version < 7, let axis = attributes.int("axis"), attributes.flag("broadcast") {
            let start = axis < 0 ? axis + a.shape.count : axis
            guard start >= 0, start + b.shape.count <= a.shape.count else {
                throw ExecutionError.attribute("\(use.key) broadcasts \(b.shape) to \(a.shape) at axis \(axis)")
            }
            b.shape += [Int](repeating: 1, count: a.shape.count - start - b.shape.count)
        }
        return (a, b, try BroadcastLoops([a.shape, b.shape]))
    }
}
