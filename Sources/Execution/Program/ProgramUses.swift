/// Who reads the values of a program.
struct ProgramUses {
    /// By value, the instructions that read it, each once for each time it reads it.
    private var readers: [[Int]]
    private let kept: Set<ValueID>
    /// By value, the instruction that computes it.
    private var makers: [Int?]

    init(_ program: Program, keeping outputs: [ValueID]) {
        readers = [[Int]](repeating: [], count: program.values.count)
        makers = [Int?](repeating: nil, count: program.values.count)
        kept = Set(outputs)
        for (index, instruction) in program.instructions.enumerated() {
            for id in Program.reads(instruction) { readers[id.index].append(index) }
            for id in instruction.outputs { if let id { makers[id.index] = index } }
        }
    }

    func readers(of id: ValueID) -> [Int] { readers[id.index] }

    func maker(of id: ValueID) -> Int? { makers[id.index] }

    /// The only instruction that reads the value, when nothing else needs it.
    func onlyReader(of id: ValueID) -> Int? {
        let all = readers[id.index]
        return all.count == 1 && !kept.contains(id) ? all[0] : nil
    }

    func isKept(_ id: ValueID) -> Bool { kept.contains(id) }

    func isUnread(_ id: ValueID) -> Bool { readers[id.index].isEmpty && !kept.contains(id) }
}
