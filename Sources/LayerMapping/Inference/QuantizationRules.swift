internal import ConverterKit

/// Operators between real numbers and integers.
enum QuantizationRules {
    static let table: [String: InferenceRule] = [
        "QuantizeLinear": { [ValueFact(shape: $0.shape(0), type: $0.input(2)?.type ?? ElementType.uint8.rawValue)] },
        "DequantizeLinear": { [ValueFact(shape: $0.shape(0), type: $0.input(1)?.type)] },
        "DynamicQuantizeLinear": { context in
            [
                ValueFact(shape: context.shape(0), type: ElementType.uint8.rawValue),
                ValueFact(shape: [], type: ElementType.float32.rawValue),
                ValueFact(shape: [], type: ElementType.uint8.rawValue),
            ]
        },
        "com.microsoft::QuantizeLinear": { [ValueFact(shape: $0.shape(0), type: $0.input(2)?.type)] },
        "com.microsoft::DequantizeLinear": { [ValueFact(shape: $0.shape(0), type: $0.input(1)?.type)] },
        "com.microsoft::QLinearAdd": { context in
            guard let a = context.shape(0), let b = context.shape(3) else { return [ValueFact()] }
            return [ValueFact(shape: Broadcasting.shape(of: [a, b]), type: context.input(0)?.type)]
        },
    ]
}
