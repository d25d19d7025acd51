internal import ConverterKit

/// OneHot: indices as vectors.
enum OneHotOperators {
    static let all = [oneHot]

    /// `values[1]` at the index along a new `axis` of `depth`, `values[0]` elsewhere.
    static let oneHot = Operator("OneHot") { preparation in
        let (indices, values) = (try preparation.fact(0), try preparation.fact(2))
        guard let stated = try preparation.content(1)?.doubles().first else {
            throw ExecutionError.missingInput("depth of OneHot")
        }
        let depth = Int(Int64(clamping: stated))
        guard depth >= 0, values.count == 2, indices.type.storage != .string else {
            throw ExecutionError.shape("OneHot of depth \(depth) with \(values.count) values")
        }
        let axis = try preparation.axis(
            preparation.attributes.int("axis", otherwise: -1), rank: indices.shape.count + 1)
        var shape = indices.shape
        shape.insert(depth, at: axis)
        _ = try shape.elementCount()
        let result = TensorFact(type: values.type, shape: shape)
        let inner = indices.shape[axis...].reduce(1, *)
        func make<T: Element>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let (to, values) = unsafe (arguments.output(0, T.self), arguments.input(2, T.self))
                unsafe Fill.repeating(values[0], to, count: result.count, arguments.pool)
                for position in 0..<indices.count {
                    let index = unsafe Indices.value(arguments, input: 0, type: indices.type, at: position)
                    let place = index < 0 ? index &+ depth : index
                    guard place >= 0, place < depth else { continue }
                    unsafe to[(position / inner * depth + place) * inner + position % inner] = values[1]
                }
            }
        }
        guard let element = values.type.storage?.element else {
            throw ExecutionError.unsupported("OneHot of \(values.type)")
        }
        return make(element)
    }
}
