/// A dense matrix, row-major, without gaps.
public struct Matrix<Scalar: BLASScalar>: Sendable, Equatable {
    public let rows: Int
    public let columns: Int
    /// `rows · columns` elements; element `(i, j)` is at `i · columns + j`.
    public var elements: [Scalar]

    /// `elements` as a matrix; their number must be `rows · columns`.
    @inlinable public init(rows: Int, columns: Int, elements: [Scalar]) {
        precondition(rows >= 0 && columns >= 0 && elements.count == rows * columns, "elements do not fit the matrix")
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    /// A matrix of zeros.
    @inlinable public init(rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, elements: [Scalar](repeating: 0, count: rows * columns))
    }

    /// The identity of this order.
    public static func identity(_ order: Int) -> Self {
        var matrix = Self(rows: order, columns: order)
        for index in 0..<order { matrix.elements[index * (order + 1)] = 1 }
        return matrix
    }

    @inlinable public subscript(row: Int, column: Int) -> Scalar {
        get { elements[row * columns + column] }
        set { elements[row * columns + column] = newValue }
    }

    /// The whole matrix as an operand.
    public var view: MatrixView<Scalar> {
        MatrixView(elements: elements, offset: 0, rows: rows, columns: columns, stride: columns)
    }

    /// The transpose as an operand; copies nothing.
    public var transposed: MatrixView<Scalar> { view.transposed }
}

/// A rectangle of an array as an operand of a product: no copy, but a reference to the array.
public struct MatrixView<Scalar: BLASScalar>: Sendable {
    @usableFromInline let elements: [Scalar]
    @usableFromInline let offset: Int
    /// Extents as stored, before transposition.
    @usableFromInline let storedRows: Int
    @usableFromInline let storedColumns: Int
    @usableFromInline let stride: Int
    @usableFromInline let isTransposed: Bool

    @inlinable public var rows: Int { isTransposed ? storedColumns : storedRows }
    @inlinable public var columns: Int { isTransposed ? storedRows : storedColumns }

    /// `rows` runs of `columns` elements, the first at `offset`, each `stride` after the one before.
    public init(elements: [Scalar], offset: Int = 0, rows: Int, columns: Int, stride: Int? = nil) {
        let step = stride ?? columns
        precondition(rows >= 0 && columns >= 0 && step >= columns && offset >= 0, "not a rectangle")
        precondition(
            rows == 0 || columns == 0 || offset + (rows - 1) * step + columns <= elements.count,
            "the rectangle is not within the array")
        self.init(elements, offset, rows, columns, step, false)
    }

    private init(
        _ elements: [Scalar], _ offset: Int, _ rows: Int, _ columns: Int, _ stride: Int, _ isTransposed: Bool
    ) {
        self.elements = elements
        self.offset = offset
        storedRows = rows
        storedColumns = columns
        self.stride = stride
        self.isTransposed = isTransposed
    }

    public var transposed: Self {
        Self(elements, offset, storedRows, storedColumns, stride, !isTransposed)
    }

    /// A copy without gaps.
    @inlinable public var matrix: Matrix<Scalar> {
        var copy: [Scalar] = []
        copy.reserveCapacity(rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                let place = isTransposed ? column * stride + row : row * stride + column
                copy.append(elements[offset + place])
            }
        }
        return Matrix(rows: rows, columns: columns, elements: copy)
    }
}
