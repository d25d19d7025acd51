internal import ConverterKit

/// MatMul and Gemm, and what is like them.
enum MatrixRules {
    static let table: [String: InferenceRule] = [
        "MatMul": { [product($0.input(0), $0.input(1), type: $0.input(0)?.type)] },
        "MatMulInteger": { [product($0.input(0), $0.input(1), type: ElementType.int32.rawValue)] },
        "QLinearMatMul": { [product($0.input(0), $0.input(3), type: $0.input(7)?.type)] },
        "Gemm": gemm,
        "com.microsoft::FusedGemm": gemm,
        "com.microsoft::FusedMatMul": { context in
            let left = swapped(context.input(0), if: context.int("transA") == 1)
            let right = swapped(context.input(1), if: context.int("transB") == 1)
            return [product(left, right, type: context.input(0)?.type)]
        },
    ]

    private static func swapped(_ fact: ValueFact?, if condition: Bool) -> ValueFact? {
        guard condition, var shape = fact?.shape, shape.count >= 2 else { return fact }
        shape.swapAt(shape.count - 1, shape.count - 2)
        return ValueFact(shape: shape, type: fact?.type)
    }

    /// NumPy's rule: a vector on the left gets a row, one on the right a column, which is dropped again; batches
    /// broadcast.
    private static func product(_ left: ValueFact?, _ right: ValueFact?, type: Int32?) -> ValueFact {
        guard let a = left?.shape, let b = right?.shape, !a.isEmpty, !b.isEmpty else { return ValueFact(type: type) }
        let rows = a.count == 1 ? [] : [a[a.count - 2]]
        let columns = b.count == 1 ? [] : [b[b.count - 1]]
        let batch = Broadcasting.shape(of: [Array(a.dropLast(2)), Array(b.dropLast(2))])
        return ValueFact(shape: batch + rows + columns, type: type)
    }

    private static func gemm(_ context: RuleContext) -> [ValueFact] {
        let type = context.input(0)?.type
        guard let a = context.shape(0), let b = context.shape(1), a.count == 2, b.count == 2 else {
            return [ValueFact(type: type)]
        }
        let rows = (context.int("transA") ?? 0) != 0 ? a[1] : a[0]
        let columns = (context.int("transB") ?? 0) != 0 ? b[0] : b[1]
        return [ValueFact(shape: [rows, columns], type: type)]
    }
}
