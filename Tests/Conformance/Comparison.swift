internal import ConverterKit
internal import Execution

struct Mismatch: Error, CustomStringConvertible {
    var description: String
}

/// Compares results as the suite does: real numbers within a tolerance, everything else exactly.
enum Comparison {
    static let relative = 1e-3
    static let absolute = 1e-7

    static func check(_ result: RuntimeValue, _ wanted: RuntimeValue, name: String) throws {
        switch (result, wanted) {
        case (.tensor(let result), .tensor(let wanted)): try check(result, wanted, name: name)
        case (.sequence(let results), .sequence(let wanted)):
            guard results.count == wanted.count else {
                throw Mismatch(description: "\(name) has \(results.count) members, not \(wanted.count)")
            }
            for (index, pair) in zip(results, wanted).enumerated() {
                try check(pair.0, pair.1, name: "\(name)[\(index)]")
            }
        case (.optional(nil), .optional(nil)): return
        case (.optional(let result?), .optional(let wanted?)): try check(result, wanted, name: name)
        default: throw Mismatch(description: "\(name) is another kind of value")
        }
    }

    private static func check(_ result: TensorValue, _ wanted: TensorValue, name: String) throws {
        guard result.type == wanted.type else {
            throw Mismatch(description: "\(name) is of \(result.type), not \(wanted.type)")
        }
        guard result.shape == wanted.shape else {
            throw Mismatch(description: "\(name) has the shape \(result.shape), not \(wanted.shape)")
        }
        if wanted.type == .string {
            guard result.strings == wanted.strings else {
                throw Mismatch(description: "\(name) is \(result.strings.prefix(8)), not \(wanted.strings.prefix(8))")
            }
        } else if wanted.type.isFloating {
            let (given, expected) = (try result.doubles(), try wanted.doubles())
            let wrong = given.indices.filter { !isClose(given[$0], expected[$0]) }
            guard let first = wrong.first else { return }
            throw Mismatch(
                description:
                    "\(name): \(wrong.count) of \(given.count) differ, first at \(first): "
                    + "\(given[first]), not \(expected[first])")
        } else {
            let (given, expected) = (try result.integers(), try wanted.integers())
            guard let first = given.indices.first(where: { given[$0] != expected[$0] }) else { return }
            throw Mismatch(
                description:
                    "\(name): \(zip(given, expected).count { $0 != $1 }) of \(given.count) differ, first at \(first): "
                    + "\(given[first]), not \(expected[first])")
        }
    }

    private static func isClose(_ a: Double, _ b: Double) -> Bool {
        if a == b || (a.isNaN && b.isNaN) { return true }
        return abs(a - b) <= absolute + relative * abs(b)
    }
}
