internal import CKernels
internal import ConverterKit

/// A tree of elementwise operations in single precision that is computed tile by tile, in the order of its steps. The
/// last step is the result.
struct ElementwiseExpression: Sendable {
    enum Operand: Hashable, Sendable {
        case input(Int)
        case step(Int)
        case constant(Float)
    }

    struct Step: Sendable {
        var operation: ElementwiseOperation
        var operands: [Operand]
    }

    var inputCount: Int
    var steps: [Step]

    /// The value for one number in place of every input, in double precision.
    func evaluate(at x: Double) -> Double {
        var results: [Double] = []
        for step in steps {
            let operands = step.operands.map { operand in
                switch operand {
                case .input: x
                case .step(let index): results[index]
                case .constant(let value): Double(value)
                }
            }
            results.append(step.operation.evaluate(operands))
        }
        return results.last ?? .nan
    }

    // MARK: - Attributes

    /// Operations by name; two operands and two parameters for each. Operands count inputs and then steps; constants
    /// are counted from −1 downwards.
    var attributes: AttributeList {
        var constants: [Float] = []
        var operands: [Int] = []
        for step in steps {
            for position in 0..<2 {
                let operand = step.operands.indices.contains(position) ? step.operands[position] : step.operands[0]
                switch operand {
                case .input(let index): operands.append(index)
                case .step(let index): operands.append(inputCount + index)
                case .constant(let value):
                    constants.append(value)
                    operands.append(-constants.count)
                }
            }
        }
        return [
            "operations": steps.map { $0.operation.key.description },
            "operands": operands, "constants": constants,
            "parameters": steps.flatMap { [Float($0.operation.parameters.a), Float($0.operation.parameters.b)] },
        ]
    }

    /// Throws `execution.attribute` when they are none.
    init(_ attributes: AttributeList, inputCount: Int) throws {
        let names = attributes.strings("operations") ?? []
        let operands = attributes.ints("operands") ?? []
        let constants = attributes.floats("constants") ?? []
        let parameters = attributes.floats("parameters") ?? []
        guard !names.isEmpty, operands.count == 2 * names.count, parameters.count == 2 * names.count else {
            throw ExecutionError.attribute("Elementwise with attributes that do not fit together")
        }
        self.inputCount = inputCount
        steps = []
        for (index, name) in names.enumerated() {
            let stated = UnaryFunction.Parameters(Double(parameters[2 * index]), Double(parameters[2 * index + 1]))
            guard let operation = ElementwiseOperation(named: name, stated) else {
                throw ExecutionError.attribute("Elementwise with the operation \(name)")
            }
            let places = try operands[2 * index..<2 * index + operation.arity].map { place -> Operand in
                if place < 0, -place <= constants.count { return .constant(constants[-place - 1]) }
                guard place >= 0, place < inputCount + index else {
                    throw ExecutionError.attribute("Elementwise with the operand \(place)")
                }
                return place < inputCount ? .input(place) : .step(place - inputCount)
            }
            steps.append(Step(operation: operation, operands: places))
        }
    }

    init(inputCount: Int, steps: [Step]) { (self.inputCount, self.steps) = (inputCount, steps) }

    // MARK: - Tile buffers

    /// By step, the tile buffer that it writes to, of as few as there are results alive at once. The last step writes
    /// to the output.
    var slots: (bySteps: [Int], count: Int) {
        var last = [Int](repeating: 0, count: steps.count)
        for (index, step) in steps.enumerated() {
            for case .step(let operand) in step.operands { last[operand] = index }
        }
        var (bySteps, free, count): ([Int], [Int], Int) = ([], [], 0)
        for (index, step) in steps.enumerated() {
            // A result may take the place of an operand that is read here for the last time.
            for operand in Set(step.operands) {
                if case .step(let number) = operand, last[number] == index { free.append(bySteps[number]) }
            }
            free.sort(by: >)
            if let slot = free.popLast() {
                bySteps.append(slot)
            } else {
                bySteps.append(count)
                count += 1
            }
        }
        return (bySteps, count)
    }
}
