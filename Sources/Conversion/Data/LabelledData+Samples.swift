internal import ConverterKit
internal import Execution
internal import FineTuning

extension LabelledData {
    /// All samples in memory, for training: bytes stay bytes. Throws `data.inputs` for a model of several inputs, or of
    /// inputs that are not in single precision.
    func samples() throws -> Samples {
        if let images = try byteImages() { return images }
        var values: [Float] = []
        var shape: [Int] = []
        for batch in batches(of: 256) {
            let given = try inputs(of: batch)
            guard given.count == 1, let tensor = try given.values.first?.tensor(), tensor.type == .float32 else {
                throw ConversionError(
                    "data.inputs", .badInput, "fine-tuning wants a model with one input, in single precision",
                    remedy: "Convert without --fine-tune.")
            }
            shape = Array(tensor.shape.dropFirst())
            values += try tensor.floats().prefix(batch.range.count * shape.reduce(1, *))
        }
        return Samples(values, shape: shape, labels: labels.map { $0.map { Int64($0) } })
    }
}
