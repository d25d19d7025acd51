internal import ConverterKit

/// Operators of ai.onnx.ml that prepare features.
enum FeatureOperators {
    private static let domain = "ai.onnx.ml"

    static let all = [scaler, normalizer, binarizer, imputer, extractor, vectorizer, oneHot, labels, zipMap]

    ///     y = (x − offset) · scale, for each feature or for all of them
    static let scaler = Operator(evaluating: "Scaler", domain: domain) { call in
        let input = try call.tensor(0)
        let width = input.shape.last ?? 1
        let (offset, scale) = (call.attributes.floats("offset") ?? [0], call.attributes.floats("scale") ?? [1])
        guard [1, width].contains(offset.count), [1, width].contains(scale.count) else {
            throw ExecutionError.attribute("Scaler of \(input.shape) has \(scale.count) scales")
        }
        let values = try input.floats().enumerated().map { index, x in
            (x - offset[offset.count == 1 ? 0 : index % width]) * scale[scale.count == 1 ? 0 : index % width]
        }
        return [.tensor(try TensorValue(values, shape: input.shape))]
    }

    static let normalizer = Operator(evaluating: "Normalizer", domain: domain) { call in
        let input = try call.tensor(0)
        let width = max(1, input.shape.last ?? 1)
        var values = try input.floats()
        for start in stride(from: 0, to: values.count, by: width) {
            let row = values[start..<start + width]
            let norm: Float
            switch call.attributes.string("norm") ?? "MAX" {
            case "MAX": norm = row.max() ?? 1
            case "L1": norm = row.reduce(0) { $0 + abs($1) }
            case "L2": norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            case let name: throw ExecutionError.attribute("Normalizer has the norm \(name)")
            }
            for index in start..<start + width { values[index] /= norm == 0 ? 1 : norm }
        }
        return [.tensor(try TensorValue(values, shape: input.shape))]
    }

    static let binarizer = Operator(evaluating: "Binarizer", domain: domain) { call in
        let input = try call.tensor(0)
        let threshold = Double(call.attributes.float("threshold", otherwise: 0))
        return [.tensor(try mapped(input) { $0 > threshold ? 1 : 0 })]
    }

    /// Puts values in place of a certain one, or of what is no number.
    static let imputer = Operator(evaluating: "Imputer", domain: domain) { call in
        let input = try call.tensor(0)
        let width = max(1, input.shape.last ?? 1)
        let values =
            call.attributes.floats("imputed_value_floats")?.map { Double($0) }
            ?? call.attributes.ints("imputed_value_int64s")?.map { Double($0) } ?? []
        guard values.count == 1 || values.count == width else {
            throw ExecutionError.attribute("Imputer of \(input.shape) has \(values.count) values")
        }
        let replaced =
            input.type.isFloating
            ? Double(call.attributes.float("replaced_value_float", otherwise: 0))
            : Double(call.attributes.int("replaced_value_int64", otherwise: 0))
        var index = -1
        return [
            .tensor(
                try mapped(input) { x in
                    index += 1
                    guard x == replaced || (x.isNaN && replaced.isNaN) else { return x }
                    return values[values.count == 1 ? 0 : index % width]
                })
        ]
    }

    /// Some of the elements along the last axis.
    static let extractor = Operator(evaluating: "ArrayFeatureExtractor", domain: domain) { call in
        let input = try call.tensor(0)
        let indices = try call.tensor(1).integers()
        guard let width = input.shape.last, indices.allSatisfy({ (0..<width).contains($0) }), !indices.isEmpty else {
            throw ExecutionError.shape("ArrayFeatureExtractor of \(input.shape)")
        }
        let axis = input.shape.count - 1
        let parts = try indices.map { try input.part(axis: axis, $0..<$0 + 1) }
        let joined = try TensorValue.concatenated(parts, axis: axis)
        return [.tensor(axis == 0 ? try joined.reshaped([1, indices.count]) : joined)]
    }

    /// The inputs side by side, each cut or filled with zeros to its stated width.
    static let vectorizer = Operator(evaluating: "FeatureVectorizer", domain: domain) { call in
        let widths = call.attributes.ints("inputdimensions")
        let parts = try call.inputs.indices.map { index -> TensorValue in
            let tensor = try call.tensor(index)
            guard tensor.shape.count == 1 || tensor.shape.count == 2 else {
                throw ExecutionError.shape("FeatureVectorizer of \(tensor.shape)")
            }
            let rows = try TensorValue(tensor.floats(), shape: tensor.shape)
            let matrix = try tensor.shape.count == 1 ? rows.reshaped([tensor.count, 1]) : rows
            let width = widths.flatMap { $0.indices.contains(index) ? $0[index] : nil } ?? matrix.shape[1]
            guard width >= 0 else { throw ExecutionError.attribute("inputdimensions of FeatureVectorizer") }
            if width <= matrix.shape[1] { return try matrix.part(axis: 1, 0..<width) }
            let filling = try TensorValue(type: .float32, shape: [matrix.shape[0], width - matrix.shape[1]])
            return try .concatenated([matrix, filling], axis: 1)
        }
        return [.tensor(try TensorValue.concatenated(parts, axis: 1))]
    }

    /// A new last axis with a one at the place of the category.
    static let oneHot = Operator(evaluating: "OneHotEncoder", domain: domain) { call in
        let input = try call.tensor(0)
        let keys = try keys(input)
        let categories =
            input.type == .string
            ? call.attributes.strings("cats_strings") ?? []
            : (call.attributes.ints("cats_int64s") ?? []).map { String($0) }
        let places = Dictionary(
            categories.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let result = try TensorValue(type: .float32, shape: input.shape + [categories.count])
        var values = try result.floats()
        for (index, key) in keys.enumerated() {
            if let place = places[key] {
                values[index * categories.count + place] = 1
            } else if !call.attributes.flag("zeros", otherwise: true) {
                throw ExecutionError.shape("OneHotEncoder has no category \(key)")
            }
        }
        return [.tensor(try TensorValue(values, shape: result.shape))]
    }

    /// Other values for known ones.
    static let labels = Operator(evaluating: "LabelEncoder", domain: domain) { call in
        let input = try call.tensor(0)
        let attributes = call.attributes
        if let classes = attributes.strings("classes_strings"), call.version < 2 {
            // Version 1: from strings to their numbers, or back.
            if input.type == .string {
                let numbers = Dictionary(
                    classes.enumerated().map { ($1, Int64($0)) }, uniquingKeysWith: { first, _ in first })
                let other = Int64(attributes.int("default_int64", otherwise: -1))
                return [.tensor(try TensorValue(input.strings.map { numbers[$0] ?? other }, shape: input.shape))]
            }
            let other = attributes.string("default_string") ?? "_Unused"
            let names = try input.integers().map { classes.indices.contains($0) ? classes[$0] : other }
            return [.tensor(try TensorValue(strings: names, shape: input.shape))]
        }
        let known =
            try attributes.tensor("keys_tensor").map { try keys($0) } ?? attributes.strings("keys_strings")
            ?? attributes.ints("keys_int64s").map { $0.map { String($0) } }
            ?? attributes.floats("keys_floats").map { $0.map { String(Double($0)) } } ?? []
        let places = Dictionary(known.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let wanted = try keys(input).map { places[$0] }
        func pick<T>(_ values: [T], _ other: T) throws -> [T] {
            guard values.count == known.count else { throw ExecutionError.attribute("the values of LabelEncoder") }
            return wanted.map { $0.map { values[$0] } ?? other }
        }
        if let values = attributes.strings("values_strings") {
            let other = attributes.string("default_string") ?? "_Unused"
            return [.tensor(try TensorValue(strings: pick(values, other), shape: input.shape))]
        }
        if let values = attributes.ints("values_int64s") {
            let other = attributes.int("default_int64", otherwise: -1)
            return [.tensor(try TensorValue(pick(values, other).map { Int64($0) }, shape: input.shape))]
        }
        if let values = attributes.floats("values_floats") {
            let other = attributes.float("default_float", otherwise: -0.0)
            return [.tensor(try TensorValue(pick(values, other), shape: input.shape))]
        }
        guard let values = try attributes.tensor("values_tensor") else {
            throw ExecutionError.attribute("LabelEncoder has no values")
        }
        let other = try attributes.tensor("default_tensor")
        let all = try TensorValue.concatenated(
            [values] + [other.map { try $0.reshaped([1]) }].compactMap { $0 }, axis: 0)
        let parts = try wanted.map { place -> TensorValue in
            let index = place ?? values.count
            guard index < all.count else { throw ExecutionError.attribute("LabelEncoder has no default_tensor") }
            return try all.part(axis: 0, index..<index + 1)
        }
        guard !parts.isEmpty else { return [.tensor(try TensorValue(type: values.type, shape: input.shape))] }
        return [.tensor(try TensorValue.concatenated(parts, axis: 0).reshaped(input.shape))]
    }

    /// The scores as they are: the maps' keys are the node's class labels, the same for every row.
    static let zipMap = Operator("ZipMap", domain: domain) { preparation in .view(try preparation.fact(0)) }

    /// The elements as what dictionaries are asked for.
    private static func keys(_ tensor: TensorValue) throws -> [String] {
        if tensor.type == .string { return tensor.strings }
        if tensor.type.isFloating { return try tensor.doubles().map { String($0) } }
        return try tensor.integers().map { String($0) }
    }

    /// Each element by itself, in the tensor's own type.
    private static func mapped(_ tensor: TensorValue, _ body: (Double) -> Double) throws -> TensorValue {
        func make<T: Element>(_: T.Type) throws -> TensorValue {
            try TensorValue(
                elements: tensor.elements(T.self).map { T(clamping: body($0.asDouble)) }, shape: tensor.shape,
                type: tensor.type)
        }
        guard let element = tensor.type.storage?.element else {
            throw ExecutionError.type("\(tensor.type) holds no numbers")
        }
        return try make(element)
    }
}
