internal import ConverterKit

/// Lays images out in lanes wherever convolutions are, and moves them back where an operator needs them as they were.
///
///     Given   X ── Conv ── Relu ── Flatten ── Y
///     Result  X ── ToLanes ── LaneConv ── Relu ── FromLanes ── Flatten ── Y
///
/// Convolutions and their gradients begin it; operators between them that have a rule follow, so that the layout changes
/// only at the edges of the convolutional part.
struct LaneRewrite {
    let program: Program
    /// By value, the same value in lanes.
    private var laneForms: [ValueID: ValueID] = [:]
    /// Values that are there as they were.
    private var plain: Set<ValueID> = []
    /// Extent of the batch.
    let images: Int

    /// Fewer images leave too many lanes empty.
    static let fewestImages = 9

    /// Rewrites the program when it has convolutions of enough images. In a program whose statistics or gradients sum over
    /// images every lane must hold one, or nothing is done.
    static func apply(to program: Program, keeping outputs: [ValueID]) throws {
        let batches = Set(program.instructions.compactMap { images(of: $0, in: program) })
        guard batches.count == 1, let images = batches.first, images >= fewestImages else { return }
        let sums = program.instructions.contains { LaneRules.needsFullLanes.contains($0.use.key) }
        guard !sums || images % LaneLayout.lanes == 0 else { return }
        var rewrite = LaneRewrite(program: program, images: images)
        try rewrite.run(keeping: outputs)
    }

    private init(program: Program, images: Int) {
        (self.program, self.images) = (program, images)
    }

    /// The batch of a convolution that has a form in lanes.
    private static func images(of instruction: Program.Instruction, in program: Program) -> Int? {
        guard LaneRules.convolutions.contains(instruction.use.key), let first = instruction.inputs.first ?? nil,
            let fact = program[first].fact, fact.type == .float32, fact.shape.count == 4
        else { return nil }
        return fact.shape[0]
    }

    private mutating func run(keeping outputs: [ValueID]) throws {
        let old = program.instructions
        program.replaceInstructions([])
        for instruction in old {
            if instruction.prepared != nil, let rule = LaneRules.table[instruction.use.key],
                try rule(&self, instruction)
            {
                continue
            }
            for id in Program.reads(instruction) { try makePlain(id) }
            program.append(instruction)
            for id in instruction.outputs { if let id { plain.insert(id) } }
        }
        for id in outputs { try makePlain(id) }
    }

    // MARK: - For rules

    /// Whether the value is in lanes already.
    func isInLanes(_ id: ValueID) -> Bool { laneForms[id] != nil }

    /// Whether the value can be laid out in lanes.
    func isImages(_ id: ValueID) -> Bool {
        guard let fact = program[id].fact else { return false }
        return fact.type == .float32 && fact.shape.count == 4 && fact.shape[0] == images
    }

    /// The value in lanes; moved there where it is not.
    mutating func lanes(_ id: ValueID) throws -> ValueID {
        if let known = laneForms[id] { return known }
        let made = try program.one("ToLanes", domain: "rene", [id])
        laneForms[id] = made
        return made
    }

    /// The value as it was.
    mutating func makePlain(_ id: ValueID) throws {
        guard let lanes = laneForms[id], !plain.contains(id), program[id].role == .computed,
            program[id].constant == nil
        else { return }
        try program.emit(
            "FromLanes", domain: "rene", [lanes], ["images": images], into: [id], node: program[id].name ?? "FromLanes")
        plain.insert(id)
    }

    /// States that `lanes` is the value `id` in lanes.
    mutating func set(_ id: ValueID, lanes: ValueID) { laneForms[id] = lanes }

    /// Adds an operator that gives the value `id` as it was.
    mutating func emitPlain(
        _ name: String, domain: String, _ inputs: [ValueID?], _ attributes: AttributeList, into outputs: [ValueID?],
        node: String
    ) throws {
        try program.emit(name, domain: domain, inputs, attributes, into: outputs, node: node)
        for id in outputs { if let id { plain.insert(id) } }
    }

    /// Uses the operator as it is on values in lanes, in the version of its node.
    mutating func repeatInLanes(
        _ instruction: Program.Instruction, _ inputs: [ValueID?], attributes: AttributeList? = nil
    ) throws -> [ValueID?] {
        var use = instruction.use
        if let attributes { use.attributes = attributes }
        return try program.emit(use, inputs, wanted: instruction.outputs.map { $0 != nil })
    }
}
