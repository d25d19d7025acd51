internal import ConverterKit
internal import Glibc

/// Operators on quantized values that compute in real numbers and round at the end.
enum QuantizedArithmeticOperators {
    static let all = [
        binary("QLinearAdd") { $0 + $1 }, binary("QLinearMul") { $0 * $1 },
        unary("QLinearSigmoid") { _ in { 1 / (1 + expf(-$0)) } },
        unary("QLinearLeakyRelu") { attributes in
            let alpha = attributes.float("alpha", otherwise: 0.01)
            return { $0 < 0 ? alpha * $0 : $0 }
        },
        concat, averagePool, globalAveragePool,
    ]

    /// Inputs: A, scale, zero; B, scale, zero; scale and zero of the result.
    private static func binary(_ name: String, _ function: @escaping @Sendable (Float, Float) -> Float) -> Operator {
        Operator(name, domain: "com.microsoft") { preparation in
            let (a, b) = (try preparation.fact(0), try preparation.fact(3))
            let type = a.type
            guard b.type == type else { throw ExecutionError.type("\(name) of \(type) and \(b.type)") }
            let left = try Quantization(preparation, type: type, scale: 1, zero: 2)
            let right = try Quantization(preparation, type: type, scale: 4, zero: 5)
            let target = try Quantization(preparation, type: type, scale: 6, zero: 7)
            let shape = try Broadcasting.shape(a.shape, b.shape)
            let count = try shape.elementCount()
            let places =
                a.shape == b.shape
                ? nil
                : (
                    Broadcasting.offsets(of: a.shape, in: shape, step: 1),
                    Broadcasting.offsets(of: b.shape, in: shape, step: 1)
                )
            let scratch = try [a.count + b.count + count, MemoryLayout<Float>.stride].elementCount()
            return Prepared([TensorFact(type: type, shape: shape)], scratch: scratch) { arguments in
                let result = unsafe arguments.scratch(Float.self)
                let (x, y) = unsafe (result + count, result + count + a.count)
                unsafe left.read(arguments, 0, a.count, into: x)
                unsafe right.read(arguments, 3, b.count, into: y)
                arguments.pool.split(count, grain: 1 << 14) { part in
                    if let (xPlaces, yPlaces) = places {
                        for index in part { unsafe result[index] = function(x[xPlaces[index]], y[yPlaces[index]]) }
                    } else {
                        for index in part { unsafe result[index] = function(x[index], y[index]) }
                    }
                }
                unsafe target.write(arguments, result, count)
            }
        }
    }

    /// Inputs: X, scale, zero; scale and zero of the result.
    private static func unary(
        _ name: String, _ function: @escaping @Sendable (AttributeList) -> @Sendable (Float) -> Float
    ) -> Operator {
        Operator(name, domain: "com.microsoft") { preparation in
            let fact = try preparation.fact(0)
            let source = try Quantization(preparation, type: fact.type, scale: 1, zero: 2)
            let target = try Quantization(preparation, type: fact.type, scale: 3, zero: 4)
            let apply = function(preparation.attributes)
            return Prepared([fact], scratch: fact.count * MemoryLayout<Float>.stride) { arguments in
                let x = unsafe arguments.scratch(Float.self)
                unsafe source.read(arguments, 0, fact.count, into: x)
                arguments.pool.split(fact.count, grain: 1 << 12) { part in
                    for index in part { unsafe x[index] = apply(x[index]) }
                }
                unsafe target.write(arguments, x, fact.count)
            }
        }
    }

    /// Inputs: scale and zero of the result, then a tensor with scale and zero point for each part.
    private static let concat = Operator("QLinearConcat", domain: "com.microsoft") { preparation in
        let type = try preparation.type(1)
        let target = try Quantization(preparation, type: type, scale: 0, zero: 1)
        let parts = stride(from: 2, to: preparation.inputs.count, by: 3).map { $0 }
        let facts = try parts.map { try preparation.fact($0) }
        guard let first = facts.first, facts.allSatisfy({ $0.type == type }),
            let stated = preparation.attributes.int("axis")
        else { throw ExecutionError.type("QLinearConcat of other types than \(type), or without an axis") }
        let axis = try Axes.normalized(stated, rank: first.shape.count)
        var shape = first.shape
        guard shape.indices.contains(axis),
            facts.allSatisfy({ fact in
                fact.shape.count == shape.count
                    && shape.indices.allSatisfy { $0 == axis || fact.shape[$0] == shape[$0] }
            })
        else { throw ExecutionError.shape("QLinearConcat of \(facts.map(\.shape))") }
        shape[axis] = try facts.map { $0.shape[axis] }.reduce(0) { sum, extent in
            let (next, overflow) = sum.addingReportingOverflow(extent)
            guard !overflow else { throw ExecutionError.shape("QLinearConcat of \(facts.map(\.shape))") }
            return next
        }
        let count = try shape.elementCount()
        let sources = try parts.map { try Quantization(preparation, type: type, scale: $0 + 1, zero: $0 + 2) }
        let outer = try Array(shape[..<axis]).elementCount()
        let largest = facts.map(\.count).max() ?? 0
        return Prepared(
            [TensorFact(type: type, shape: shape)], scratch: (count + largest) * MemoryLayout<Float>.stride
        ) { arguments in
            guard outer > 0, count > 0 else { return }
            let result = unsafe arguments.scratch(Float.self)
            let part = unsafe result + count
            let row = count / outer
            var start = 0
            for (index, fact) in facts.enumerated() {
                unsafe sources[index].read(arguments, parts[index], fact.count, into: part)
                let run = fact.count / outer
                for position in 0..<outer {
                    unsafe (result + position * row + start).update(from: part + position * run, count: run)
                }
                start += run
            }
            unsafe target.write(arguments, result, count)
        }
    }

    private static let averagePool = Operator("QLinearAveragePool", domain: "com.microsoft") { preparation in
        let shape = try preparation.shape(0)
        guard shape.count > 2 else { throw ExecutionError.shape("QLinearAveragePool of \(shape)") }
        let input = Array(shape[2...])
        guard input.allSatisfy({ $0 < WindowAttributes.limit }) else {
            throw ExecutionError.shape("QLinearAveragePool of \(shape)")
        }
        let window = try WindowAttributes(preparation.attributes, rank: input.count)
        let pads = try window.pads(input)
        let rounds = preparation.attributes.flag("ceil_mode")
        let output = try input.indices.map { axis in
            let room = try input[axis] + pads.before[axis] + pads.after[axis] - window.reach(axis)
            guard room >= 0 else { throw ExecutionError.shape("QLinearAveragePool of \(shape)") }
            let stride = window.strides[axis]
            let extent = (rounds ? room + stride - 1 : room) / stride + 1
            // The last window begins in the input or in the pads before it.
            return rounds && (extent - 1) * stride >= input[axis] + pads.before[axis] ? extent - 1 : extent
        }
        let table = try WindowTable(
            input: input, output: output, kernel: window.kernel, strides: window.strides, dilations: window.dilations,
            padsBefore: pads.before)
        return try pool(
            preparation, table, output: output, countsPads: preparation.attributes.flag("count_include_pad"))
    }

    private static let globalAveragePool = Operator("QLinearGlobalAveragePool", domain: "com.microsoft") {
        preparation in
        let shape = try preparation.shape(0)
        guard shape.count > 2 else { throw ExecutionError.shape("QLinearGlobalAveragePool of \(shape)") }
        let input = Array(shape[2...])
        let ones = [Int](repeating: 1, count: input.count)
        let table = try WindowTable(
            input: input, output: ones, kernel: input, strides: ones, dilations: ones,
            padsBefore: ones.map { _ in 0 })
        return try pool(preparation, table, output: ones, countsPads: true)
    }

    private static func pool(
        _ preparation: Preparation, _ table: WindowTable, output: [Int], countsPads: Bool
    ) throws -> Prepared {
        let fact = try preparation.fact(0)
        guard !preparation.attributes.flag("channels_last") else {
            throw ExecutionError.unsupported("\(preparation.operation) with the channels last is not executed")
        }
        let source = try Quantization(preparation, type: fact.type, scale: 1, zero: 2)
        let target = try Quantization(preparation, type: fact.type, scale: 3, zero: 4)
        let result = TensorFact(type: fact.type, shape: Array(fact.shape[..<2]) + output)
        let planes = try Array(fact.shape[..<2]).elementCount()
        let count = try result.shape.elementCount()
        let plane = planes == 0 ? 0 : fact.count / planes
        return Prepared([result], scratch: (fact.count + count) * MemoryLayout<Float>.stride) { arguments in
            let x = unsafe arguments.scratch(Float.self)
            let y = unsafe x + fact.count
            unsafe source.read(arguments, 0, fact.count, into: x)
            arguments.pool.split(planes) { part in
                for index in part {
                    let from = unsafe x + index * plane
                    for place in 0..<table.places {
                        var (sum, covered): (Float, Int) = (0, 0)
                        for tap in 0..<table.taps {
                            let offset = Int(table.offsets[tap * table.places + place])
                            guard offset >= 0 else { continue }
                            unsafe sum += from[offset]
                            covered += 1
                        }
                        unsafe y[index * table.places + place] = sum / Float(countsPads ? table.taps : max(1, covered))
                    }
                }
            }
            unsafe target.write(arguments, y, count)
        }
    }
}
