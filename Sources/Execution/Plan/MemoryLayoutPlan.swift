internal import ConverterKit

/// Which instructions run, and where the values lie that they read and write: computed values of known extents share one
/// block of memory by their lifetimes; views and results that may overwrite an input lie where that lies.
struct MemoryLayoutPlan {
    /// Instructions that the outputs need, in their order.
    let order: [Int]
    /// By instruction: it is prepared only when it runs.
    let isLate: [Bool]
    private(set) var byteCount = 0
    /// The most that is alive at one step: `byteCount` without gaps.
    private(set) var leastByteCount = 0

    private let program: Program
    /// By value: the value whose memory it has.
    private var root: [Int]
    /// By value that is a root: its place among the tenants of the arena.
    private var tenant: [Int?]
    private var scratchTenant: [Int?] = []
    private var tenants: [Arena.Tenant] = []
    private var arena = Arena([])

    init(_ program: Program, outputs: [ValueID]) {
        self.program = program
        (order, isLate) = Self.needed(program, outputs: outputs)
        root = Array(program.values.indices)
        tenant = [Int?](repeating: nil, count: program.values.count)
        assign(outputs)
        arena = Arena(tenants)
        byteCount = arena.byteCount
        leastByteCount = arena.leastByteCount
    }

    /// Whether memory is planned for the value: it is no constant and its extents are known.
    private func isPlanned(_ index: Int) -> Bool {
        let value = program.values[index]
        return value.constant == nil && value.fact != nil && value.fact?.type != .string
    }

    private static func needed(_ program: Program, outputs: [ValueID]) -> (order: [Int], isLate: [Bool]) {
        var isRead = [Bool](repeating: false, count: program.values.count)
        for id in outputs { isRead[id.index] = true }
        var order: [Int] = []
        var isLate = [Bool](repeating: false, count: program.instructions.count)
        for index in program.instructions.indices.reversed() {
            let instruction = program.instructions[index]
            guard instruction.outputs.contains(where: { $0.map { isRead[$0.index] } ?? false }) else { continue }
            order.append(index)
            for id in Program.reads(instruction) { isRead[id.index] = true }
            isLate[index] = instruction.prepared == nil
        }
        return (order.reversed(), isLate)
    }

    private mutating func assign(_ outputs: [ValueID]) {
        let end = order.count
        var first = [Int](repeating: -1, count: program.values.count)
        var last = [Int](repeating: -1, count: program.values.count)
        for (position, index) in order.enumerated() {
            let instruction = program.instructions[index]
            for id in Program.reads(instruction) { last[id.index] = max(last[id.index], position) }
            for id in instruction.outputs.compactMap({ $0 }) {
                first[id.index] = position
                last[id.index] = max(last[id.index], position)
            }
        }
        for id in outputs { last[id.index] = end }
        for index in order {
            let instruction = program.instructions[index]
            guard let prepared = instruction.prepared, prepared.isView, let from = instruction.inputs[0],
                let to = instruction.outputs[0]
            else { continue }
            root[to.index] = root[from.index]
            last[root[to.index]] = max(last[root[to.index]], last[to.index])
        }
        for (position, index) in order.enumerated() {
            let instruction = program.instructions[index]
            guard let prepared = instruction.prepared, !prepared.isView, let to = instruction.outputs.first ?? nil
            else { continue }
            for input in prepared.overwritable {
                guard instruction.inputs.indices.contains(input), let from = instruction.inputs[input] else { continue }
                let source = root[from.index]
                guard isPlanned(source), program.values[source].role == .computed, last[source] == position,
                    program.values[source].fact?.byteCount == program.values[to.index].fact?.byteCount,
                    // Another input that is a view of the same memory in another order would be overwritten too early.
                    instruction.inputs.enumerated().allSatisfy({ other, id in
                        id.map { other == input || root[$0.index] != source || $0 == from } ?? true
                    })
                else { continue }
                // The result and its views.
                // Views of the result, too, lie where it does.
                for member in root.indices where root[member] == to.index { root[member] = source }
                last[source] = max(last[source], last[to.index])
                break
            }
        }
        for index in program.values.indices where isPlanned(index) && root[index] == index {
            let value = program.values[index]
            guard value.role != .parameter else { continue }
            guard value.role == .input || first[index] >= 0 else { continue }
            tenant[index] = tenants.count
            // Inputs are set before the first step, and again only before the next run.
            let start = value.role == .input ? -1 : first[index]
            let stop = value.role == .input ? end : max(last[index], start)
            tenants.append(Arena.Tenant(byteCount: value.fact?.byteCount ?? 0, life: start...stop))
        }
        scratchTenant = order.enumerated().map { position, index in
            guard let bytes = program.instructions[index].prepared?.scratch, bytes > 0 else { return nil }
            tenants.append(Arena.Tenant(byteCount: bytes, life: position...position))
            return tenants.count - 1
        }
    }

    /// By value, the memory of those that have a planned place: parameters have memory of their own.
    func places(in memory: Buffer) -> [Buffer?] {
        var kept: [Int: Buffer] = [:]
        for (index, value) in program.values.enumerated() where isPlanned(index) && value.role == .parameter {
            kept[index] = Buffer(byteCount: value.fact?.byteCount ?? 0)
        }
        return program.values.indices.map { index in
            if let constant = program.values[index].constant { return constant.buffer }
            let owner = root[index]
            if let constant = program.values[owner].constant { return constant.buffer }
            if let buffer = kept[owner] { return buffer }
            guard let tenant = tenant[owner] else { return nil }
            return Buffer(of: memory, offset: arena.offsets[tenant], byteCount: tenants[tenant].byteCount)
        }
    }

    func scratch(of position: Int, in memory: Buffer) -> Buffer? {
        scratchTenant[position].map {
            Buffer(of: memory, offset: arena.offsets[$0], byteCount: tenants[$0].byteCount)
        }
    }
}
