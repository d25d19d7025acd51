internal import ConverterKit
internal import Execution
internal import LayerMapping
internal import LinearAlgebra

/// Inputs for a model of which no data are at hand, drawn from what the graph says of its inputs:
///
///     float, rank 4, 1 or 3 channels   smooth images with mean 0 and standard deviation 1
///     other floats                     standard normal
///     integers that index a table      uniform over the table's rows
///     masks                            ones
///     other integers                   0 or 1
struct SampleInputs {
    private let model: Model
    private let signature: ModelSignature
    private let inputShapes: [String: [Int]]
    private let seed: UInt64

    static let (imageExtent, sequenceExtent) = (64, 16)
    /// Elements of one input beyond which a model is not tried.
    private static let mostElements = 1 << 28

    init(for model: Model, inputShapes: [String: [Int]], seed: UInt64) throws(ConversionError) {
        self.model = model
        signature = try ModelSignature(of: model)
        (self.inputShapes, self.seed) = (inputShapes, seed)
    }

    /// `batches` batches of `size` samples, where the model leaves the number free. Throws `data.shape` when extents are
    /// not known.
    func data(batches: Int, size: Int) throws -> LabelledData {
        let extents = model.inputExtents(
            inputShapes: inputShapes,
            defaults: ExtentDefaults(batch: size, image: Self.imageExtent, sequence: Self.sequenceExtent))
        var random = SeededGenerator(seed: seed)
        let drawn = try (0..<batches).map { _ in
            var inputs: [String: RuntimeValue] = [:]
            for input in signature.inputs {
                guard let shape = extents[input.name] else {
                    throw DataError.shape("the extents of the input \(input.name) are not known")
                }
                inputs[input.name] = .tensor(try value(of: input, shape: shape, &random))
            }
            return (inputs: inputs, count: size)
        }
        return LabelledData(batches: drawn, tier: .none)
    }

    private func value(
        of input: ModelSignature.Input, shape: [Int], _ random: inout SeededGenerator
    ) throws -> TensorValue {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= Self.mostElements else {
                throw DataError.shape("the input \(input.name) would have the extents \(shape)")
            }
            count = product
        }
        let channels = shape.count == 4 ? [shape[1], shape[3]].first { $0 == 1 || $0 == 3 } : nil
        if input.type.isFloating, !input.name.lowercased().contains("mask") {
            let values =
                channels == nil
                ? random.normals(count) : Self.images(shape, channelsLast: ![1, 3].contains(shape[1]), &random)
            return try tensor(values, shape, as: input.type)
        }
        let reader = TableReader(model: model, input: input.name)
        if !input.type.isFloating, let rows = reader.rows {
            return try tensor((0..<count).map { _ in Int64.random(in: 0..<Int64(rows), using: &random) }, shape, input)
        }
        if input.name.lowercased().contains("mask") || reader.isCompared {
            return input.type.isFloating
                ? try tensor([Float](repeating: 1, count: count), shape, as: input.type)
                : try tensor([Int64](repeating: 1, count: count), shape, input)
        }
        return try tensor((0..<count).map { _ in Int64.random(in: 0...1, using: &random) }, shape, input)
    }

    private func tensor(_ values: [Float], _ shape: [Int], as type: ElementType) throws -> TensorValue {
        guard type.isFactorizable else { throw DataError.type("no samples are drawn of \(type)") }
        return try TensorValue(
            Tensor(
                name: nil, elementTypeNumber: type.rawValue, shape: shape.map { Int64($0) },
                payload: .raw(ByteSource(Tensor.pack(values, as: type)))))
    }

    private func tensor(_ values: [Int64], _ shape: [Int], _ input: ModelSignature.Input) throws -> TensorValue {
        guard let width = input.type.bitWidth, width >= 8 else {
            throw DataError.type("no samples are drawn of \(input.type)")
        }
        let bytes = values.flatMap { value in
            (0..<width / 8).map { UInt8(truncatingIfNeeded: value >> (8 * Int64($0))) }
        }
        return try TensorValue(
            Tensor(
                name: nil, elementTypeNumber: input.type.rawValue, shape: shape.map { Int64($0) },
                payload: .raw(ByteSource(bytes))))
    }

    /// Images of a few waves each with random directions, long ones the strongest as in photographs, and a little noise.
    private static func images(_ shape: [Int], channelsLast: Bool, _ random: inout SeededGenerator) -> [Float] {
        let (height, width) = channelsLast ? (shape[1], shape[2]) : (shape[2], shape[3])
        let channels = channelsLast ? shape[3] : shape[1]
        let plane = height * width
        guard plane > 0 else { return [] }
        var result = [Float](repeating: 0, count: shape.reduce(1, *))
        for image in 0..<shape[0] {
            for channel in 0..<channels {
                var values = (0..<plane).map { _ in 0.15 * Float(random.normal()) }
                for _ in 0..<12 {
                    let (x, y) = (random.normal() * 2.5, random.normal() * 2.5)
                    let strength = Float(random.normal() / (1 + (x * x + y * y).squareRoot()))
                    let phase = random.uniform()
                    for place in 0..<plane {
                        let turn =
                            x * Double(place % width) / Double(width) + y * Double(place / width) / Double(height)
                        values[place] += strength * wave(turn + phase)
                    }
                }
                let mean = values.reduce(0, +) / Float(plane)
                let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(plane)
                let scale = variance > 0 ? 1 / variance.squareRoot() : 1
                for place in 0..<plane {
                    let index =
                        channelsLast
                        ? (image * plane + place) * channels + channel : (image * channels + channel) * plane + place
                    result[index] = (values[place] - mean) * scale
                }
            }
        }
        return result
    }

    /// A smooth wave of period 1 and height 1, by parabolas.
    private static func wave(_ turn: Double) -> Float {
        let x = 2 * (turn - turn.rounded(.down)) - 1
        return Float(4 * x * (1 - abs(x)))
    }
}

/// What the graph does with an input of whole numbers.
private struct TableReader {
    /// Rows of the smallest table that it indexes.
    var rows: Int?
    /// It is only compared, cast or multiplied: a mask.
    var isCompared = false

    init(model: Model, input: String) {
        var shapes: [String: [Int64]] = [:]
        for tensor in model.graph.initializers { if let name = tensor.name { shapes[name] = tensor.shape } }
        var names: Set = [input]
        for node in model.graph.nodes {
            switch node.operation {
            case "Gather" where node.inputs.count > 1 && names.contains(node.inputs[1]):
                var axis = 0
                if case .int(let value)? = node[attribute: "axis"] { axis = Int(clamping: value) }
                guard let shape = shapes[node.inputs[0]], shape.indices.contains(axis < 0 ? axis + shape.count : axis)
                else { continue }
                let extent = Int(clamping: shape[axis < 0 ? axis + shape.count : axis])
                if extent > 0 { rows = min(rows ?? extent, extent) }
            case "EmbedLayerNormalization" where node.inputs.count > 2 && node.inputs[0] == input:
                if let extent = shapes[node.inputs[2]]?.first, extent > 0 { rows = Int(extent) }
            case "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Where", "And", "Or", "Not":
                if node.inputs.contains(where: names.contains) { isCompared = true }
            case "Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Slice", "Flatten":
                if let first = node.inputs.first, names.contains(first) { names.formUnion(node.outputs) }
            default: continue
            }
        }
    }
}
