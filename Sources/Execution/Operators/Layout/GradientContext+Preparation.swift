internal import ConverterKit

extension GradientContext {
    /// What the operator was prepared with.
    func preparation() throws -> Preparation {
        Preparation(
            use: use,
            inputs: try inputs.map { id in
                try id.map { Preparation.Input(fact: try program.fact($0), constant: program[$0].constant) }
            }, wanted: outputs.map { $0 != nil }, threads: program.pool.width)
    }

    /// Zeros of the type of `id` in a shape.
    func zeros(_ shape: [Int], like id: ValueID) throws -> ValueID {
        try expand(program.scalar(0, like: id), shape)
    }
}
