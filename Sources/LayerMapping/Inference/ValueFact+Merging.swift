internal import ConverterKit

extension ValueFact {
    /// What the tensor says of itself; the content of small ones.
    init(of tensor: Tensor) {
        self.init(shape: tensor.shape.map { $0 >= 0 ? Int(exactly: $0) : nil }, type: tensor.elementTypeNumber)
        guard let count = tensor.elementCount, count <= Self.largestContent, let type = tensor.elementType else {
            return
        }
        switch type {
        case .complex64, .complex128, .string: return
        default: content = (try? tensor.doubles())?.map { $0 }
        }
    }

    /// This fact, and where it does not know something, the other. A stated extent wins over an inferred one.
    func completed(by stated: ValueFact?) -> ValueFact {
        guard let stated else { return self }
        var result = self
        result.type = type ?? stated.type
        guard let statedShape = stated.shape else { return result }
        guard let shape, shape.count == statedShape.count else {
            result.shape = statedShape
            return result
        }
        result.shape = zip(shape, statedShape).map { $0 ?? $1 }
        return result
    }

    /// What holds of both.
    func common(with other: ValueFact) -> ValueFact {
        var result = ValueFact(type: type == other.type ? type : nil)
        if let shape, let otherShape = other.shape, shape.count == otherShape.count {
            result.shape = zip(shape, otherShape).map { $0 == $1 ? $0 : nil }
        }
        if content == other.content { result.content = content }
        return result
    }

    /// Extents that are negative or beyond 2³¹ count as unknown, so that arithmetic on two of them does not overflow.
    var bounded: ValueFact {
        var result = self
        result.shape = shape?.map { $0.flatMap { (0...1 << 31).contains($0) ? $0 : nil } }
        if let count = content?.count, count > Self.largestContent { result.content = nil }
        return result
    }

    var withoutContent: ValueFact { ValueFact(shape: shape, type: type) }
}
