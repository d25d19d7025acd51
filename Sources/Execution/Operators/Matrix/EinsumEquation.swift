internal import ConverterKit

/// An equation of Einsum for operands of given extents, with a label for each axis; those that an ellipsis stands for
/// have labels of their own.
struct EinsumEquation {
    /// By operand, the labels of its axes.
    let operands: [[Character]]
    let output: [Character]
    let extents: [Character: Int]

    var outputShape: [Int] { output.map { extents[$0] ?? 1 } }

    /// Throws `execution.attribute` for an equation that does not fit the operands.
    init(_ text: String, shapes: [[Int]]) throws {
        let misfit = ExecutionError.attribute("the equation \(text) does not fit operands of \(shapes)")
        let sides = text.filter { !$0.isWhitespace }.split(
            separator: "->", maxSplits: 2, omittingEmptySubsequences: false)
        guard (1...2).contains(sides.count) else { throw misfit }
        let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false)
        guard terms.count == shapes.count else { throw misfit }
        var widest = 0
        for (term, shape) in zip(terms, shapes) where term.contains("...") {
            widest = max(widest, shape.count - (term.count - 3))
        }
        guard widest <= 64 else { throw misfit }
        let omitted = (0..<widest).compactMap { Unicode.Scalar(0x4e00 + $0).map { Character($0) } }
        func labels(_ term: Substring, rank: Int?) throws -> [Character] {
            guard let dots = term.firstRange(of: "...") else {
                guard !term.contains("."), rank ?? term.count == term.count else { throw misfit }
                return Array(term)
            }
            let (before, after) = (term[..<dots.lowerBound], term[dots.upperBound...])
            let count = rank.map { $0 - before.count - after.count } ?? widest
            guard !before.contains("."), !after.contains("."), (0...widest).contains(count) else { throw misfit }
            return before + omitted.suffix(count) + after
        }
        operands = try zip(terms, shapes).map { try labels($0, rank: $1.count) }
        var extents: [Character: Int] = [:]
        for (labels, shape) in zip(operands, shapes) {
            for (label, extent) in zip(labels, shape) {
                let known = extents[label] ?? 1
                guard known == extent || known == 1 || extent == 1 else { throw misfit }
                if extent != 1 || extents[label] == nil { extents[label] = extent }
            }
        }
        self.extents = extents
        if sides.count == 2 {
            output = try labels(sides[1], rank: nil)
        } else {
            let all = operands.flatMap { $0 }
            let single = extents.keys.filter { label in
                !omitted.contains(label) && all.count { $0 == label } == 1
            }
            output = omitted + single.sorted()
        }
        guard Set(output).count == output.count, output.allSatisfy({ extents[$0] != nil }) else { throw misfit }
        _ = try output.map { extents[$0] ?? 1 }.elementCount()
    }
}
