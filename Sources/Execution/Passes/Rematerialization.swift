/// Computes values of the forward part again for the reverse part instead of keeping them, when a limit of memory asks
/// for it (Chen et al., arXiv 1604.06174).
///
///     Given   A ── B ── C ── … loss … ── ∂C(B) ── ∂B(A)
///     Result  A ── B ── C ── … loss … ── B' ── ∂C(B') ── ∂B(A)
///
/// What is kept are the values that are alive at some cuts through the forward part, and all that lie behind the last cut;
/// the rest is computed again right before the reverse part reads it. Results are the same to the bit.
struct Rematerialization {
    private let program: Program
    private let outputs: [ValueID]
    private let old: [Program.Instruction]
    /// Number of instructions of the forward part: those up to the loss.
    private let split: Int
    /// By value, the instruction of the forward part that computes it.
    private var makers: [Int?]
    /// By value, the one whose memory it has when it is a view.
    private var roots: [ValueID]
    /// By value, its twin that is computed again.
    private var twins: [ValueID: ValueID] = [:]
    /// By value of the forward part, whether the reverse part reads it.
    private var isSaved: [Bool]
    /// By value, the last instruction of the forward part that reads it.
    private var lastRead: [Int]
    /// By instruction of the forward part: bytes that the reverse part reads of what was computed up to it.
    private var savedBytes: [Int] = []
    /// By instruction of the forward part: bytes that are alive behind it.
    private var liveBytes: [Int] = []

    /// A way to do it: which values stay, and the instructions that follow from it.
    private struct Choice {
        var instructions: [Program.Instruction]
        /// Multiply-accumulates and elements that are computed again.
        var cost: Int
    }

    /// Rewrites the program when it would take more than `limit` bytes, in the cheapest way that takes fewer. Throws
    /// `execution.memory` when there is none.
    static func apply(to program: Program, keeping outputs: [ValueID], loss: ValueID, limit: Int) throws {
        Passes.removeUnread(program, keeping: outputs)
        let whole = MemoryLayoutPlan(program, outputs: outputs).byteCount
        if whole <= limit { return }
        var least = whole
        if let pass = Rematerialization(program, keeping: outputs, loss: loss) {
            for choice in pass.choices.sorted(by: { $0.cost < $1.cost }) {
                program.replaceInstructions(choice.instructions)
                let bytes = MemoryLayoutPlan(program, outputs: outputs).byteCount
                if bytes <= limit { return }
                least = min(least, bytes)
            }
            program.replaceInstructions(pass.old)
        }
        throw ExecutionError.memory(
            "a step takes \(whole) bytes at once, and at least \(least) with values computed twice")
    }

    private init?(_ program: Program, keeping outputs: [ValueID], loss: ValueID) {
        (self.program, self.outputs, old) = (program, outputs, program.instructions)
        guard let end = old.firstIndex(where: { $0.outputs.contains(loss) }) else { return nil }
        split = end + 1
        makers = [Int?](repeating: nil, count: program.values.count)
        isSaved = [Bool](repeating: false, count: program.values.count)
        lastRead = [Int](repeating: -1, count: program.values.count)
        roots = program.values.indices.map { ValueID(index: $0) }
        for (index, instruction) in old.enumerated() {
            for id in Program.reads(instruction) {
                let root = roots[id.index]
                if index < split { lastRead[root.index] = index } else { isSaved[root.index] = true }
            }
            if instruction.prepared?.isView == true, let from = instruction.inputs[0], let to = instruction.outputs[0] {
                roots[to.index] = roots[from.index]
            }
            if index < split { for id in instruction.outputs { if let id { makers[id.index] = index } } }
        }
        var saved = 0
        for index in 0..<split {
            for id in old[index].outputs { if let id, isSaved[id.index] { saved += bytes(of: id) } }
            savedBytes.append(saved)
            liveBytes.append(alive(behind: index).reduce(0) { $0 + bytes(of: $1) })
        }
        for index in 0..<split where canRepeat(index) {
            for id in old[index].outputs { if let id { twins[id] = program.addTwin(of: id) } }
        }
    }

    // MARK: - What is there

    /// Of its own memory; none for views and for what is not computed.
    private func bytes(of id: ValueID) -> Int {
        makers[id.index] == nil || roots[id.index] != id ? 0 : program[id].fact?.byteCount ?? 0
    }

    private func canRepeat(_ index: Int) -> Bool {
        old[index].operation.isPure && old[index].prepared != nil && old[index].captures.isEmpty
    }

    /// Values, but for views, computed up to an instruction that the forward part reads behind it.
    private func alive(behind index: Int) -> [ValueID] {
        makers.indices.filter { (makers[$0] ?? .max) <= index && lastRead[$0] > index }.map { ValueID(index: $0) }
    }

    /// Arrays by channel and the like: computing again costs more than keeping gives.
    private var smallBytes: Int { (makers.indices.map { bytes(of: ValueID(index: $0)) }.max() ?? 0) / 64 }

    // MARK: - Choices

    private var choices: [Choice] {
        let most = min(24, split)
        let total = savedBytes.last ?? 0
        var kept: [Set<ValueID>] = []
        for count in 0...max(1, most) {
            for tail in count == 0 ? [1.0] : Set([0.75, 0.5, 0.35, 0.25, 0.15, 1 / Double(count + 1)]).sorted() {
                let cuts = cuts(count, of: Double(total) * (1 - tail))
                for dropsCheap in [true, false] where count > 0 || dropsCheap {
                    let set = values(cutting: cuts, droppingCheap: dropsCheap)
                    if !kept.contains(set) { kept.append(set) }
                }
            }
        }
        return kept.map(choice)
    }

    /// Instructions that share `bytes` of saved values evenly, each where little is alive near its place.
    private func cuts(_ count: Int, of bytes: Double) -> [Int] {
        let step = bytes / Double(max(1, count))
        return (1...max(1, count)).prefix(count).compactMap { number in
            let target = step * Double(number)
            let near = savedBytes.indices.filter { abs(Double(savedBytes[$0]) - target) <= step / 2 }
            return near.min {
                (liveBytes[$0], abs(Double(savedBytes[$0]) - target)) < (
                    liveBytes[$1], abs(Double(savedBytes[$1]) - target)
                )
            }
        }
    }

    /// The values that stay.
    private func values(cutting cuts: [Int], droppingCheap: Bool) -> Set<ValueID> {
        let last = cuts.max() ?? -1
        let small = smallBytes
        var kept = Set(outputs)
        for cut in cuts { kept.formUnion(alive(behind: cut)) }
        for index in 0..<split {
            for case let id? in old[index].outputs where isSaved[id.index] {
                let stays = index > last && !(droppingCheap && isCheap(index, having: kept))
                if roots[id.index] == id, stays || bytes(of: id) <= small { kept.insert(id) }
            }
        }
        return kept
    }

    /// No product, and all that it reads is there.
    private func isCheap(_ index: Int, having kept: Set<ValueID>) -> Bool {
        guard canRepeat(index), old[index].prepared?.macs == 0 else { return false }
        return Program.reads(old[index]).allSatisfy { id in
            let root = roots[id.index]
            return makers[root.index] == nil || kept.contains(root)
        }
    }

    private func choice(_ kept: Set<ValueID>) -> Choice {
        var result = Choice(instructions: Array(old[..<split]), cost: 0)
        var isRepeated = [Bool](repeating: false, count: split)
        func source(_ id: ValueID) -> ValueID { kept.contains(id) ? id : twins[id] ?? id }
        for instruction in old[split...] {
            // What it needs again, and what that needs.
            var needed: [Int] = []
            var open = Program.reads(instruction)
            while let id = open.popLast() {
                guard source(id) != id, let maker = makers[id.index], !isRepeated[maker] else { continue }
                isRepeated[maker] = true
                needed.append(maker)
                open += Program.reads(old[maker])
            }
            for maker in needed.sorted() {
                var twin = old[maker]
                twin.inputs = twin.inputs.map { $0.map(source) }
                twin.outputs = twin.outputs.map { $0.flatMap { twins[$0] } }
                result.instructions.append(twin)
                result.cost += old[maker].prepared?.macs ?? 0
                result.cost += 4 * (old[maker].prepared?.outputs.reduce(0) { $0 + $1.count } ?? 0)
            }
            var reader = instruction
            reader.inputs = reader.inputs.map { $0.map(source) }
            reader.captures = reader.captures.mapValues(source)
            result.instructions.append(reader)
        }
        return result
    }
}
