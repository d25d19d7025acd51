internal import ConverterKit

/// How operators are done in lanes. A rule emits the operator's form in lanes and says whether it did.
enum LaneRules {
    typealias Rule = @Sendable (inout LaneRewrite, Program.Instruction) throws -> Bool

    static let table: [OperatorKey: Rule] = ConvolutionLaneRules.table
        .merging(ElementwiseLaneRules.table) { first, _ in first }
        .merging(NormalizationLaneRules.table) { first, _ in first }
        .merging(PixelLaneRules.table) { first, _ in first }

    /// Operators whose being there makes the layout worth its while.
    static let convolutions: Set<OperatorKey> = [
        OperatorKey(domain: "", name: "Conv"), OperatorKey(domain: "com.microsoft", name: "FusedConv"),
    ]

    /// Operators that sum over images and would add what is in empty lanes.
    static let needsFullLanes: Set<OperatorKey> = [
        OperatorKey(domain: "rene", name: "BatchTraining"), OperatorKey(domain: "rene", name: "ConvWeightGradient"),
    ]
}

/// Convolutions and their gradients over two axes.
enum ConvolutionLaneRules {
    static let table: [OperatorKey: LaneRules.Rule] = [
        OperatorKey(domain: "", name: "Conv"): forward,
        OperatorKey(domain: "com.microsoft", name: "FusedConv"): forward,
        OperatorKey(domain: "rene", name: "ConvInputGradient"): inputGradient,
        OperatorKey(domain: "rene", name: "ConvWeightGradient"): weightGradient,
    ]

    static let forward: LaneRules.Rule = { rewrite, instruction in
        guard let x = instruction.inputs[0], let weight = instruction.inputs[1], let y = instruction.outputs[0],
            rewrite.isImages(x), rewrite.isImages(y)
        else { return false }
        let shape = try ConvolutionShape(
            instruction.use.attributes, input: rewrite.program.fact(x).shape,
            weight: rewrite.program.fact(weight).shape)
        guard try rewrite.program.fact(y).shape == shape.outputShape else { return false }
        var attributes = shape.attributes
        if instruction.use.key.name == "FusedConv" {
            switch try FusedActivation(instruction.use.attributes) {
            case .none: break
            case .relu: attributes.set("lo", Float(0))
            case .clip(let low, let high):
                attributes.set("lo", low)
                attributes.set("hi", high)
            default: return false
            }
        }
        var inputs: [ValueID?] = [try rewrite.lanes(x), weight]
        try rewrite.makePlain(weight)
        if instruction.inputs.count > 2 {
            if let bias = instruction.inputs[2] { try rewrite.makePlain(bias) }
            inputs.append(instruction.inputs[2])
        }
        if instruction.inputs.count > 3, let residual = instruction.inputs[3] {
            inputs.append(try rewrite.lanes(residual))
        }
        rewrite.set(y, lanes: try rewrite.program.one("LaneConv", domain: "rene", inputs, attributes))
        return true
    }

    static let inputGradient: LaneRules.Rule = { rewrite, instruction in
        guard let dy = instruction.inputs[0], let weight = instruction.inputs[1], let dx = instruction.outputs[0],
            rewrite.isImages(dy), rewrite.isImages(dx)
        else { return false }
        var attributes = instruction.use.attributes
        attributes.set("input_shape", LaneLayout.shape(try rewrite.program.fact(dx).shape))
        try rewrite.makePlain(weight)
        rewrite.set(
            dx,
            lanes: try rewrite.program.one(
                "LaneConvInputGradient", domain: "rene", [rewrite.lanes(dy), weight], attributes))
        return true
    }

    static let weightGradient: LaneRules.Rule = { rewrite, instruction in
        guard let dy = instruction.inputs[0], let x = instruction.inputs[1], rewrite.isImages(dy), rewrite.isImages(x)
        else { return false }
        try rewrite.emitPlain(
            "LaneConvWeightGradient", domain: "rene", [rewrite.lanes(dy), rewrite.lanes(x)],
            instruction.use.attributes, into: instruction.outputs, node: instruction.use.node)
        return true
    }
}

/// Operators element by element: the same on any layout, as long as all operands have it.
enum ElementwiseLaneRules {
    static let names = [
        "Abs", "Neg", "Ceil", "Floor", "Sign", "Sqrt", "Reciprocal", "Exp", "Log", "Erf", "Sigmoid", "Tanh", "Relu",
        "LeakyRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "HardSigmoid", "HardSwish", "Softplus", "Softsign",
        "Gelu", "Mish", "Clip", "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean", "PRelu", "Identity",
        "Dropout",
    ]

    static let table: [OperatorKey: LaneRules.Rule] = {
        var table: [OperatorKey: LaneRules.Rule] = [:]
        for name in names { table[OperatorKey(domain: "", name: name)] = rule }
        for operation in OperatorRegistry.elementwiseGradients { table[operation] = rule }
        return table
    }()

    static let rule: LaneRules.Rule = { rewrite, instruction in
        let inputs = instruction.inputs.compactMap { $0 }
        guard instruction.outputs.compactMap({ $0 }).allSatisfy(rewrite.isImages),
            inputs.contains(where: rewrite.isInLanes)
        else { return false }
        var given: [ValueID?] = []
        for id in instruction.inputs {
            guard let id else {
                given.append(nil)
                continue
            }
            guard let form = try operand(id, &rewrite) else { return false }
            given.append(form)
        }
        let made = try rewrite.repeatInLanes(instruction, given)
        for (plain, lanes) in zip(instruction.outputs, made) {
            if let plain, let lanes { rewrite.set(plain, lanes: lanes) }
        }
        return true
    }

    /// The operand as it is broadcast against values in lanes; `nil` for one that has the batch in another form.
    static func operand(_ id: ValueID, _ rewrite: inout LaneRewrite) throws -> ValueID? {
        if rewrite.isInLanes(id) || rewrite.isImages(id) { return try rewrite.lanes(id) }
        let fact = try rewrite.program.fact(id)
        try rewrite.makePlain(id)
        if fact.count == 1 { return id }
        // [C, 1, 1], [1, C, H, W] and the like: the same for all images.
        guard fact.shape.count < 4 || fact.shape[0] == 1 else { return nil }
        let full = [Int](repeating: 1, count: max(0, 4 - fact.shape.count)) + fact.shape
        guard full.count == 4 else { return nil }
        let shape = try rewrite.program.constant(full + [1])
        return try rewrite.program.one("Reshape", [id, shape])
    }
}

/// Batch normalization: statistics of an axis of channels, over all the others.
enum NormalizationLaneRules {
    static let table: [OperatorKey: LaneRules.Rule] = [
        OperatorKey(domain: "", name: "BatchNormalization"): rule,
        OperatorKey(domain: "rene", name: "BatchTraining"): rule,
        OperatorKey(domain: "rene", name: "BatchTrainingGradient"): rule,
    ]

    /// Images go in lanes, arrays by channel stay.
    static let rule: LaneRules.Rule = { rewrite, instruction in
        guard let first = instruction.inputs[0], rewrite.isImages(first),
            instruction.inputs.compactMap({ $0 }).contains(where: rewrite.isInLanes)
        else { return false }
        var given: [ValueID?] = []
        for id in instruction.inputs {
            if let id, rewrite.isImages(id) {
                given.append(try rewrite.lanes(id))
            } else {
                if let id { try rewrite.makePlain(id) }
                given.append(id)
            }
        }
        let made = try rewrite.repeatInLanes(instruction, given)
        for (plain, lanes) in zip(instruction.outputs, made) {
            guard let plain, let lanes else { continue }
            if rewrite.isImages(plain) {
                rewrite.set(plain, lanes: lanes)
            } else {
                try rewrite.emitPlain("Identity", domain: "", [lanes], [:], into: [plain], node: instruction.use.node)
            }
        }
        return true
    }
}
