internal import ConverterKit

/// Gradients of products of matrices, which are products again.
enum MatrixGradients {
    /// Of MatMul and FusedMatMul: `∂A = α · ∂Y · op(B)ᵀ` and `∂B = α · op(A)ᵀ · ∂Y`, with the factors exchanged where the
    /// operand is transposed, summed over the axes along which it was repeated.
    static let product: GradientRule = { context in
        let options = MatrixOptions(context.attributes)
        let (a, b) = (try context.input(0), try context.input(1))
        let (aShape, bShape) = (try context.shape(a), try context.shape(b))
        let (aMatrix, bMatrix) = (
            aShape.count == 1 ? [1] + aShape : aShape, bShape.count == 1 ? bShape + [1] : bShape
        )
        let (transposesA, transposesB) = (
            options.transposesA && aShape.count > 1, options.transposesB && bShape.count > 1
        )
        let layout = try MatrixProductLayout(aMatrix, bMatrix, MatrixOptions(transposesA, transposesB))
        let dy = try context.reshape(context.gradient(), layout.output)
        let (left, right) = (try context.reshape(a, aMatrix), try context.reshape(b, bMatrix))
        func multiply(_ x: ValueID, _ y: ValueID, _ transposesX: Bool, _ transposesY: Bool) throws -> ValueID {
            var attributes: AttributeList = ["transA": transposesX, "transB": transposesY]
            if options.alpha != 1 { attributes.set("alpha", Float(options.alpha)) }
            return try context.emit("FusedMatMul", domain: "com.microsoft", [x, y], attributes)
        }
        var (da, db): (ValueID?, ValueID?)
        if context.wants(0) {
            let gradient =
                try transposesA
                ? multiply(right, dy, transposesB, true) : multiply(dy, right, false, !transposesB)
            da = try context.reshape(context.unbroadcast(gradient, to: aMatrix), aShape)
        }
        if context.wants(1) {
            let gradient: ValueID
            if bMatrix.count == 2, !transposesA, aMatrix.count > 2 {
                // The axes before the left matrix count as rows: the sum over them is part of the product.
                let (k, n) = (aMatrix[aMatrix.count - 1], layout.output[layout.output.count - 1])
                let rows = try context.reshape(left, [aMatrix.dropLast().reduce(1, *), k])
                let columns = try context.reshape(dy, [layout.output.dropLast().reduce(1, *), n])
                gradient =
                    try transposesB ? multiply(columns, rows, true, false) : multiply(rows, columns, true, false)
            } else {
                gradient =
                    try transposesB
                    ? multiply(dy, left, true, transposesA) : multiply(left, dy, !transposesA, false)
            }
            db = try context.reshape(context.unbroadcast(gradient, to: bMatrix), bShape)
        }
        return [da, db]
    }

    static let gemm: GradientRule = { context in
        let options = MatrixOptions(context.attributes)
        let (a, b, dy) = (try context.input(0), try context.input(1), try context.gradient())
        func multiply(_ x: ValueID, _ y: ValueID, _ transposesX: Bool, _ transposesY: Bool) throws -> ValueID {
            try context.emit(
                "Gemm", [x, y],
                ["transA": transposesX, "transB": transposesY, "alpha": Float(options.alpha)])
        }
        var gradients: [ValueID?] = [nil, nil, nil]
        if context.wants(0) {
            gradients[0] =
                try options.transposesA
                ? multiply(b, dy, options.transposesB, true) : multiply(dy, b, false, !options.transposesB)
        }
        if context.wants(1) {
            gradients[1] =
                try options.transposesB
                ? multiply(dy, a, true, options.transposesA) : multiply(a, dy, !options.transposesA, false)
        }
        if context.wants(2) {
            let addend = try context.input(2)
            let sum = try context.unbroadcast(dy, to: context.shape(addend))
            let beta = Double(context.attributes.float("beta", otherwise: 1))
            gradients[2] = beta == 1 ? sum : try context.scale(sum, by: beta)
        }
        return gradients
    }
}

extension MatrixOptions {
    init(_ transposesA: Bool, _ transposesB: Bool) {
        (self.transposesA, self.transposesB) = (transposesA, transposesB)
    }
}
