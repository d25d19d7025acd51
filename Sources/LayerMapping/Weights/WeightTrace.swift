internal import ConverterKit

/// What the walk from a node's input back to a stored tensor found.
enum WeightTrace: Sendable {
    case weight(TracedWeight)
    /// The operand is constant, or may be, but cannot be taken as a weight.
    case blocked(KeepReason)
    /// The operand comes from the model's inputs.
    case activation
}

extension ScopeTree {
    /// Walks back from the value `name` of `scope` over views to the tensor it shows.
    func traceWeight(_ name: String, in scope: Int) -> WeightTrace {
        var remaining = 64
        return traceWeight(name, in: scope, remaining: &remaining)
    }

    private func traceWeight(_ name: String, in scope: Int, remaining: inout Int) -> WeightTrace {
        remaining -= 1
        guard remaining > 0, let value = resolve(name, in: scope), let definition = definition(of: value) else {
            return .activation
        }
        switch definition {
        case .input(let index): return traceInput(index, of: value.scope)
        case .initializer(let index):
            let tensor = scopes[value.scope].initializers[index]
            let owner = scopes[value.scope]
            if owner.inputNames.contains(value.name), !owner.listsInitializersAsInputs {
                return .blocked(.weightIsInput)
            }
            return stored(tensor, value: value, origin: .initializer(scope: value.scope, index: index))
        case .output(let node, let output):
            return traceNode(node, output: output, value: value, remaining: &remaining)
        }
    }

    /// An input of the graph or of a loop's body is an activation; one of a function is a weight when a caller passes a
    /// constant.
    private func traceInput(_ index: Int, of scope: Int) -> WeightTrace {
        guard scopes[scope].isFunction else { return .activation }
        return callersPassConstant(input: index, toFunctionScope: scope)
            ? .blocked(.weightIsFunctionInput) : .activation
    }

    private func traceNode(
        _ index: Int, output: Int, value: ValueID, remaining: inout Int
    ) -> WeightTrace {
        let node = scopes[value.scope].nodes[index]
        if node.isStandard, node.operation == "Constant" {
            guard let tensor = node.constantTensor else { return .blocked(.weightWithoutContent) }
            return stored(tensor, value: value, origin: .constant(scope: value.scope, node: index))
        }
        if OperatorFacts.dequantizing.contains(node.operation) {
            return isConstant(value) ? .blocked(.quantizedWeight) : .activation
        }
        if output == 0, let source = node.inputs.first, node.isStandard, Self.viewOperators.contains(node.operation) {
            switch traceWeight(source, in: value.scope, remaining: &remaining) {
            case .weight(var weight):
                guard let view = view(of: node, on: weight, in: value.scope) else { return .blocked(.weightComputed) }
                switch view {
                case .identity: break
                case .transpose(let axes): weight.shape = axes.map { weight.shape[$0] }
                case .reshape(let shape): weight.shape = shape
                case .cast(let type): weight.elementTypeNumber = type
                }
                weight.views.append(view)
                weight.viewNodes.append(ScopeNode(scope: value.scope, node: index))
                return .weight(weight)
            case let other: return other
            }
        }
        return isConstant(value) ? .blocked(.weightComputed) : .activation
    }

    private func stored(_ tensor: Tensor, value: ValueID, origin: TracedWeight.Origin) -> WeightTrace {
        guard let type = tensor.elementType, type.isFactorizable else { return .blocked(.weightElementType) }
        guard let count = tensor.elementCount, count > 0 else { return .blocked(.weightShape) }
        switch tensor.payload {
        case .none, .strings: return .blocked(.weightWithoutContent)
        case .raw(let source), .words(_, let source):
            if type.byteCount(of: count) != source.count { return .blocked(.weightWithoutContent) }
        case .external(let external):
            if type.byteCount(of: count) != external.bytes.count { return .blocked(.weightWithoutContent) }
        case .varints: break
        }
        return .weight(
            TracedWeight(
                origin: origin, value: value, tensor: tensor, views: [], viewNodes: [],
                shape: tensor.shape.map { Int(clamping: $0) }, elementTypeNumber: tensor.elementTypeNumber))
    }
}

extension ScopeTree {
    private static let viewOperators: Set<String> = [
        "Identity", "Transpose", "Reshape", "Cast", "Squeeze", "Unsqueeze", "Flatten",
    ]

    /// What `node` does to the weight, or `nil` when it depends on more than constants or is no view.
    private func view(of node: Node, on weight: TracedWeight, in scope: Int) -> WeightView? {
        let shape = weight.shape
        switch node.operation {
        case "Identity": return .identity
        case "Transpose":
            let axes = node[attribute: "perm"]?.ints ?? Array(shape.indices.reversed())
            guard axes.sorted() == Array(shape.indices) else { return nil }
            return .transpose(axes)
        case "Cast":
            guard let to = node[attribute: "to"]?.int, let number = Int32(exactly: to),
                let type = ElementType(rawValue: number), type.isFactorizable
            else { return nil }
            return .cast(number)
        case "Reshape":
            guard let wanted = list(of: node, attribute: "shape", input: 1, in: scope) else { return nil }
            let keepsZero = node[attribute: "allowzero"]?.int == 1
            return ShapeArithmetic.reshape(shape, to: wanted, keepsZero: keepsZero).map { .reshape($0) }
        case "Flatten":
            let axis = node[attribute: "axis"]?.int ?? 1
            return ShapeArithmetic.flatten(shape, axis: axis).map { .reshape($0) }
        case "Squeeze":
            let axes = list(of: node, attribute: "axes", input: 1, in: scope)
            if axes == nil, node.inputs.count > 1, node.inputs[1] != "" { return nil }
            return ShapeArithmetic.squeeze(shape, axes: axes).map { .reshape($0) }
        case "Unsqueeze":
            guard let axes = list(of: node, attribute: "axes", input: 1, in: scope) else { return nil }
            return ShapeArithmetic.unsqueeze(shape, axes: axes).map { .reshape($0) }
        default: return nil
        }
    }

    /// Integers that older operator sets state as an attribute and newer ones as a constant input.
    private func list(of node: Node, attribute: String, input: Int, in scope: Int) -> [Int]? {
        if let values = node[attribute: attribute]?.ints { return values }
        guard node.inputs.indices.contains(input), !node.inputs[input].isEmpty else { return nil }
        return integers(of: node.inputs[input], in: scope)?.map { Int(clamping: $0) }
    }
}
