import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

/// A use of an operator whose gradient is held against finite differences.
///
/// Negative extents are drawn for each seed, the same number for the same extent everywhere in the case: the shapes
/// `[m, k]` and `[k, n]` of a matrix product fit whatever `m`, `k` and `n` are.
struct GradientCase: Sendable {
    static let (m, n, k) = (-1, -2, -3)
    /// The extents that are drawn.
    static let drawn = 2...5

    var key: OperatorKey
    var attributes: AttributeList
    var inputs: [Input?]
    var outputs: Int
    /// The version of the operator set.
    var version: Int
    /// Of the largest difference between gradient and finite differences, relative to the gradient's norm.
    var tolerance: Double
    /// What the case is for, where the rest does not say it.
    var note: String

    enum Input: Sendable {
        /// A parameter that the gradient is taken of.
        case varied([Int], Values = .apart(-2...2))
        /// Content that the gradient is not taken of, known only when the program runs.
        case fixed([Int], Values = .apart(-2...2))
        /// Content that is known when the program is made.
        case integers([Int], shape: [Int]? = nil)
        case floats([Float], shape: [Int]? = nil)
        case bools([Bool], shape: [Int]? = nil)

        var isVaried: Bool { if case .varied = self { true } else { false } }
    }

    enum Values: Sendable {
        case uniform(ClosedRange<Double>)
        /// In random order, evenly spread over the range, so that no two of them are near each other: for operators with
        /// kinks where two elements are equal. With an even number of them over a symmetric range none is near 0.
        case apart(ClosedRange<Double>)
    }

    init(
        _ name: String, domain: String = "", _ attributes: AttributeList, _ inputs: [Input?], outputs: Int = 1,
        version: Int = 18, tolerance: Double = 5e-3, note: String = ""
    ) {
        key = OperatorKey(domain: domain, name: name)
        (self.attributes, self.inputs, self.outputs, self.version) = (attributes, inputs, outputs, version)
        (self.tolerance, self.note) = (tolerance, note)
    }

    /// Without attributes.
    init(
        _ name: String, domain: String = "", _ inputs: [Input?], outputs: Int = 1, version: Int = 18,
        tolerance: Double = 5e-3, note: String = ""
    ) {
        self.init(
            name, domain: domain, [:], inputs, outputs: outputs, version: version, tolerance: tolerance, note: note)
    }
}

extension GradientCase.Values {
    func draw(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
        switch self {
        case .uniform(let range):
            return (0..<count).map { _ in
                Float(range.lowerBound + (range.upperBound - range.lowerBound) * random.uniform())
            }
        case .apart(let range):
            // One more place than values when there is an odd number, so that the middle stays free.
            let places = count + count % 2
            let step = (range.upperBound - range.lowerBound) / Double(places)
            let values = (0..<places).map { Float(range.lowerBound + (Double($0) + 0.5) * step) }
            return Array(values.shuffled(using: &random).prefix(count))
        }
    }

    /// How far an element may be moved with everything smooth meanwhile.
    func step(_ count: Int) -> Double {
        switch self {
        case .uniform(let range): 0.01 * min(1, range.upperBound - range.lowerBound)
        case .apart(let range):
            min(0.01, (range.upperBound - range.lowerBound) / Double(max(count + count % 2, 1)) / 5)
        }
    }
}

extension GradientCase: CustomTestStringConvertible {
    var testDescription: String {
        let stated = attributes.values.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
        let given = inputs.map { input in input.map { "\($0)" } ?? "none" }.joined(separator: "; ")
        return "\(key)-\(version) {\(stated)} [\(given)]\(note.isEmpty ? "" : ", ")\(note)"
    }
}
