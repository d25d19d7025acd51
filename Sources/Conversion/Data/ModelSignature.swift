internal import ConverterKit
internal import Execution

/// The inputs that a model has to be given.
struct ModelSignature: Sendable {
    struct Input: Sendable {
        var name: String
        var type: ElementType
        /// Extents, `nil` where they are free; `nil` as a whole where the model says nothing.
        var shape: [Int?]?
    }

    let inputs: [Input]

    /// Throws `data.unsupported` for an input that is no tensor of a known type.
    init(of model: Model) throws(ConversionError) {
        let stored = Set(model.graph.initializers.compactMap(\.name))
        var inputs: [Input] = []
        for info in model.graph.inputs {
            guard let name = info.name, !stored.contains(name) else { continue }
            guard let tensor = info.tensorType, let type = ElementType(rawValue: tensor.elementTypeNumber),
                type.storage != nil, type != .string
            else {
                throw ConversionError(
                    "data.unsupported", .badInput, "the input \(name) is no tensor of numbers",
                    remedy: "The model can still be converted from its weights.")
            }
            let shape = tensor.shape?.map { dimension -> Int? in
                if case .fixed(let extent) = dimension, extent > 0 { return Int(exactly: extent) }
                return nil
            }
            inputs.append(Input(name: name, type: type, shape: shape))
        }
        self.inputs = inputs
    }

    /// The extent of the batch where the model fixes it.
    var fixedBatch: Int? { inputs.lazy.compactMap { $0.shape?.first ?? nil }.first }
}
