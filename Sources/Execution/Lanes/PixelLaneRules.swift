internal import ConverterKit

/// Operators over channels and pixels: pooling, means over pixels, cutting and joining.
enum PixelLaneRules {
    static let table: [OperatorKey: LaneRules.Rule] = [
        OperatorKey(domain: "", name: "GlobalAveragePool"): globalAverage,
        OperatorKey(domain: "", name: "ReduceMean"): reduce,
        OperatorKey(domain: "", name: "ReduceSum"): reduce,
        OperatorKey(domain: "", name: "MaxPool"): pool,
        OperatorKey(domain: "", name: "AveragePool"): pool,
        OperatorKey(domain: "", name: "Slice"): slice,
        OperatorKey(domain: "rene", name: "SliceGradient"): sliceGradient,
        OperatorKey(domain: "", name: "Pad"): pad,
        OperatorKey(domain: "", name: "Concat"): concat,
        OperatorKey(domain: "", name: "Expand"): expand,
    ]

    /// The single input and output, when the input is in lanes and the output can be.
    private static func ends(_ instruction: Program.Instruction, _ rewrite: LaneRewrite) -> (ValueID, ValueID)? {
        guard let x = instruction.inputs[0], let y = instruction.outputs.first ?? nil, rewrite.isInLanes(x),
            rewrite.isImages(y), instruction.outputs.dropFirst().allSatisfy({ $0 == nil })
        else { return nil }
        return (x, y)
    }

    static let globalAverage: LaneRules.Rule = { rewrite, instruction in
        guard let (x, y) = ends(instruction, rewrite) else { return false }
        let mean = try rewrite.program.one(
            "ReduceMean", [rewrite.lanes(x), rewrite.program.constant([2, 3])], ["keepdims": 1])
        rewrite.set(y, lanes: mean)
        return true
    }

    static let reduce: LaneRules.Rule = { rewrite, instruction in
        guard let x = instruction.inputs[0], let y = instruction.outputs[0], rewrite.isInLanes(x),
            let axes = try axes(of: instruction, rewrite)
        else { return false }
        let name = instruction.use.key.name
        let keeps = instruction.use.attributes.flag("keepdims", otherwise: true)
        let sorted = try Axes.normalized(axes, rank: 4)
        if sorted.isEmpty { return false }
        if !sorted.contains(0) {
            // Over channels and pixels only: one figure for each image.
            let kept = try rewrite.program.one(
                name, [rewrite.lanes(x), rewrite.program.constant(sorted)], ["keepdims": 1])
            if keeps {
                rewrite.set(y, lanes: kept)
                return true
            }
            let full = try rewrite.program.one(
                "FromLanes", domain: "rene", [kept], ["images": rewrite.images])
            try rewrite.emitPlain(
                "Reshape", domain: "", [full, rewrite.program.constant(rewrite.program.fact(y).shape)],
                ["allowzero": 1], into: [y], node: instruction.use.node)
            return true
        }
        // Over the batch as well: lanes that hold no image would count.
        guard rewrite.images % LaneLayout.lanes == 0, name == "ReduceSum" else { return false }
        let sum = try rewrite.program.one(
            name, [rewrite.lanes(x), rewrite.program.constant(sorted + [4])], ["keepdims": 0])
        try rewrite.emitPlain(
            "Reshape", domain: "", [sum, rewrite.program.constant(rewrite.program.fact(y).shape)],
            ["allowzero": 1], into: [y], node: instruction.use.node)
        return true
    }

    private static func axes(of instruction: Program.Instruction, _ rewrite: LaneRewrite) throws -> [Int]? {
        if let stated = instruction.use.attributes.ints("axes") { return stated }
        guard instruction.inputs.count > 1, let id = instruction.inputs[1] else { return nil }
        return try rewrite.program[id].constant?.integers()
    }

    /// A window of one lane along the last axis.
    static let pool: LaneRules.Rule = { rewrite, instruction in
        guard let (x, y) = ends(instruction, rewrite) else { return false }
        var attributes = instruction.use.attributes
        guard let kernel = attributes.ints("kernel_shape"), kernel.count == 2 else { return false }
        let mode = attributes.string("auto_pad") ?? "NOTSET"
        guard mode == "NOTSET" || mode == "VALID" else { return false }
        attributes.set("kernel_shape", kernel + [1])
        if let strides = attributes.ints("strides") { attributes.set("strides", strides + [1]) }
        if let dilations = attributes.ints("dilations") { attributes.set("dilations", dilations + [1]) }
        if let pads = attributes.ints("pads"), pads.count == 4 {
            attributes.set("pads", Array(pads[..<2]) + [0] + Array(pads[2...]) + [0])
        }
        guard let made = try rewrite.repeatInLanes(instruction, [rewrite.lanes(x)], attributes: attributes).first ?? nil
        else { return false }
        rewrite.set(y, lanes: made)
        return true
    }

    static let slice: LaneRules.Rule = { rewrite, instruction in
        guard let (x, y) = ends(instruction, rewrite), instruction.use.version >= 10, instruction.inputs.count > 3,
            let axes = instruction.inputs[3], let content = try rewrite.program[axes].constant?.integers()
        else { return false }
        let positive = try content.map { try Axes.normalized($0, rank: 4) }
        guard !positive.contains(0) else { return false }
        var inputs = instruction.inputs
        inputs[0] = try rewrite.lanes(x)
        inputs[3] = try rewrite.program.constant(positive)
        guard let made = try rewrite.repeatInLanes(instruction, inputs).first ?? nil else { return false }
        rewrite.set(y, lanes: made)
        return true
    }

    static let sliceGradient: LaneRules.Rule = { rewrite, instruction in
        guard let (dy, dx) = ends(instruction, rewrite), let starts = instruction.use.attributes.ints("starts"),
            let steps = instruction.use.attributes.ints("steps"), starts.count == 4, steps.count == 4, starts[0] == 0,
            steps[0] == 1
        else { return false }
        let shape = LaneLayout.shape(try rewrite.program.fact(dx).shape)
        rewrite.set(
            dx,
            lanes: try rewrite.program.one(
                "SliceGradient", domain: "rene", [rewrite.lanes(dy)],
                ["starts": starts + [0], "steps": steps + [1], "shape": shape]))
        return true
    }

    static let pad: LaneRules.Rule = { rewrite, instruction in
        guard let (x, y) = ends(instruction, rewrite), instruction.inputs.count < 4 || instruction.inputs[3] == nil
        else { return false }
        var attributes = instruction.use.attributes
        var inputs = instruction.inputs
        inputs[0] = try rewrite.lanes(x)
        let stated: [Int]?
        if instruction.use.version < 11 {
            stated = attributes.ints("pads")
        } else {
            stated = try inputs.count > 1 ? inputs[1].flatMap { rewrite.program[$0].constant }?.integers() : nil
        }
        guard let pads = stated, pads.count == 8, pads[0] == 0, pads[4] == 0 else { return false }
        let widened = Array(pads[..<4]) + [0] + Array(pads[4...]) + [0]
        if instruction.use.version < 11 {
            attributes.set("pads", widened)
        } else {
            inputs[1] = try rewrite.program.constant(widened)
        }
        guard let made = try rewrite.repeatInLanes(instruction, inputs, attributes: attributes).first ?? nil else {
            return false
        }
        rewrite.set(y, lanes: made)
        return true
    }

    static let concat: LaneRules.Rule = { rewrite, instruction in
        guard let y = instruction.outputs[0], rewrite.isImages(y),
            instruction.inputs.compactMap({ $0 }).contains(where: rewrite.isInLanes),
            instruction.inputs.allSatisfy({ $0.map(rewrite.isImages) ?? false })
        else { return false }
        var attributes = instruction.use.attributes
        let axis = try Axes.normalized(attributes.int("axis", otherwise: 1), rank: 4)
        guard axis > 0 else { return false }
        attributes.set("axis", axis)
        var inputs: [ValueID?] = []
        for id in instruction.inputs { if let id { inputs.append(try rewrite.lanes(id)) } }
        guard let made = try rewrite.repeatInLanes(instruction, inputs, attributes: attributes).first ?? nil else {
            return false
        }
        rewrite.set(y, lanes: made)
        return true
    }

    /// From one figure for each image and channel to all its pixels, as the gradient of a mean does.
    static let expand: LaneRules.Rule = { rewrite, instruction in
        guard let x = instruction.inputs[0], let y = instruction.outputs[0], rewrite.isImages(x), rewrite.isImages(y)
        else { return false }
        let shape = LaneLayout.shape(try rewrite.program.fact(y).shape)
        rewrite.set(
            y, lanes: try rewrite.program.one("Expand", [rewrite.lanes(x), rewrite.program.constant(shape)]))
        return true
    }
}
