internal import ConverterKit

/// Products of matrices.
enum MatrixOperators {
    static let all = [matMul, fusedMatMul, gemm]

    /// `Y = A · B` over the last two axes, the axes before them broadcast; operands of one axis are a row and a column.
    static let matMul = Operator("MatMul", gradient: MatrixGradients.product) { try product($0, MatrixOptions()) }

    /// `Y = α · op(A) · op(B)`.
    static let fusedMatMul = Operator(
        "FusedMatMul", domain: "com.microsoft", gradient: MatrixGradients.product
    ) { preparation in
        let attributes = preparation.attributes
        guard !attributes.flag("transBatchA"), !attributes.flag("transBatchB") else {
            throw ExecutionError.unsupported("FusedMatMul of transposed batch axes is not executed")
        }
        return try product(preparation, MatrixOptions(attributes))
    }

    private static func product(_ preparation: Preparation, _ options: MatrixOptions) throws -> Prepared {
        let (a, b) = (try preparation.fact(0), try preparation.fact(1))
        guard a.type == b.type else {
            throw ExecutionError.type("\(preparation.operation) of \(a.type) and \(b.type)")
        }
        let layout = try MatrixProductLayout(a.shape, b.shape, options)
        let fact = TensorFact(type: a.type, shape: layout.output)
        let (product, batch) = (layout.product, layout.batch)
        func make<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                unsafe product.run(
                    arguments.input(0, T.self), arguments.input(1, T.self), into: arguments.output(0, T.self),
                    batch: batch, pool: arguments.pool)
            }
        }
        return Prepared(
            [fact], macs: product.macs.multipliedReportingOverflow(by: batch.count).partialValue,
            kernel: make(try fact.numericElement(preparation.operation)))
    }

    /// `Y = α · op(A) · op(B) + β · C`, C broadcast to Y.
    static let gemm = Operator("Gemm", gradient: MatrixGradients.gemm) { preparation in
        let (a, b) = (try preparation.fact(0), try preparation.fact(1))
        let attributes = preparation.attributes
        let options = MatrixOptions(attributes)
        guard a.type == b.type, a.shape.count == 2, b.shape.count == 2 else {
            throw ExecutionError.shape("Gemm of \(a.type) \(a.shape) and \(b.type) \(b.shape)")
        }
        let layout = try MatrixProductLayout(a.shape, b.shape, options, collapses: false)
        var product = layout.product
        let fact = TensorFact(type: a.type, shape: layout.output)
        let (m, n) = (product.m, product.n)
        // Elements of C from one row and one column of Y to the next.
        var steps = (row: 0, column: 0)
        let hasAddend = preparation.isStated(2)
        if hasAddend {
            let addend = try preparation.fact(2)
            let extents = [Int](repeating: 1, count: max(0, 2 - addend.shape.count)) + addend.shape
            guard addend.type == a.type, extents.count == 2, extents[0] == m || extents[0] == 1,
                extents[1] == n || extents[1] == 1
            else { throw ExecutionError.shape("Gemm adds \(addend.type) \(addend.shape) to \(fact.shape)") }
            steps = (extents[0] == 1 ? 0 : extents[1], extents[1] == 1 ? 0 : 1)
            product.beta = Double(attributes.float("beta", otherwise: 1))
        }
        let final = product
        let (rowStep, columnStep) = steps
        func make<T: Element>(_: T.Type) -> Kernel {
            { arguments in
                let to = unsafe arguments.output(0, T.self)
                if let addend = unsafe arguments.optionalInput(2, T.self), final.beta != 0 {
                    for row in 0..<m {
                        let from = unsafe addend + row * rowStep
                        if columnStep == 1 {
                            unsafe (to + row * n).update(from: from, count: n)
                        } else {
                            unsafe (to + row * n).update(repeating: from.pointee, count: n)
                        }
                    }
                }
                unsafe final.run(arguments.input(0, T.self), arguments.input(1, T.self), into: to, pool: arguments.pool)
            }
        }
        return Prepared([fact], macs: product.macs, kernel: make(try fact.numericElement("Gemm")))
    }
}

/// The attributes of a product.
struct MatrixOptions {
    var transposesA = false
    var transposesB = false
    var alpha = 1.0

    init() {}

    init(_ attributes: AttributeList) {
        transposesA = attributes.flag("transA")
        transposesB = attributes.flag("transB")
        alpha = Double(attributes.float("alpha", otherwise: 1))
    }
}

/// The matrices of a product of two tensors by numpy's rules.
struct MatrixProductLayout {
    let output: [Int]
    let product: MatrixProduct
    let batch: [MatrixProduct.Offsets]

    /// - Parameter collapses: Whether the axes before a left matrix may count as rows where the right side has none.
    init(_ aShape: [Int], _ bShape: [Int], _ options: MatrixOptions, collapses: Bool = true) throws {
        let misfit = ExecutionError.shape("a product of the shapes \(aShape) and \(bShape)")
        guard !aShape.isEmpty, !bShape.isEmpty else { throw misfit }
        let a = aShape.count == 1 ? [1, aShape[0]] : aShape
        let b = bShape.count == 1 ? [bShape[0], 1] : bShape
        let (transposesA, transposesB) = (
            options.transposesA && aShape.count > 1, options.transposesB && bShape.count > 1
        )
        var (m, k) = (a[a.count - 2], a[a.count - 1])
        if transposesA { swap(&m, &k) }
        var (inner, n) = (b[b.count - 2], b[b.count - 1])
        if transposesB { swap(&inner, &n) }
        guard inner == k else { throw misfit }
        let (aOuter, bOuter) = (Array(a.dropLast(2)), Array(b.dropLast(2)))
        let outer = try Broadcasting.shape(aOuter, bOuter)
        output = outer + (aShape.count > 1 ? [m] : []) + (bShape.count > 1 ? [n] : [])
        _ = try output.elementCount()
        let count = try outer.elementCount()
        if collapses, !transposesA, try bOuter.elementCount() == 1, aOuter == outer || count == 1 {
            product = try MatrixProduct(
                m: m * count, n: n, k: k, transposesB: transposesB, alpha: options.alpha)
            batch = MatrixProduct.Offsets.single
            return
        }
        product = try MatrixProduct(
            m: m, n: n, k: k, transposesA: transposesA, transposesB: transposesB, alpha: options.alpha)
        let aOffsets = Broadcasting.offsets(of: aOuter, in: outer, step: m * k)
        let bOffsets = Broadcasting.offsets(of: bOuter, in: outer, step: k * n)
        batch = (0..<count).map { MatrixProduct.Offsets(a: aOffsets[$0], b: bOffsets[$0], c: $0 * m * n) }
    }
}

/// Numpy's rules of how tensors of different extents meet.
enum Broadcasting {
    static func shape(_ a: [Int], _ b: [Int]) throws -> [Int] {
        let rank = max(a.count, b.count)
        let (left, right) = (padded(a, rank), padded(b, rank))
        return try zip(left, right).map { x, y in
            guard x == y || x == 1 || y == 1 else { throw ExecutionError.shape("\(a) and \(b) do not broadcast") }
            return x == 1 ? y : x
        }
    }

    /// For each element of a tensor of `shape`, row-major, where that of one of `extents` lies which is broadcast to it.
    static func offsets(of extents: [Int], in shape: [Int], step: Int = 1) -> [Int] {
        let own = padded(extents, shape.count)
        let strides = own.rowMajorStrides
        var offsets = [0]
        for axis in shape.indices {
            let stride = own[axis] == 1 ? 0 : strides[axis] * step
            offsets = offsets.flatMap { base in (0..<shape[axis]).map { base + $0 * stride } }
        }
        return offsets
    }

    private static func padded(_ shape: [Int], _ rank: Int) -> [Int] {
        [Int](repeating: 1, count: rank - shape.count) + shape
    }
}

extension TensorFact {
    /// The Swift type of the elements. Throws `execution.type` for strings.
    func numericElement(_ operation: String) throws -> any Element.Type {
        guard let element = type.storage?.element else {
            throw ExecutionError.type("\(operation) is not defined for \(type)")
        }
        return element
    }
}
