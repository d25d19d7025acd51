internal import CKernels
internal import ConverterKit
internal import Glibc

/// Pow, whose operands may be of different types, and Mod.
enum PowerOperators {
    static let all = [pow, mod]

    /// a^b, of a's type.
    static let pow = Operator("Pow", gradient: powerGradient) { preparation in
        let (a, b, loops) = try preparation.pair(sameType: false)
        let (storage, base) = try preparation.storage(a.type)
        let exponent = try preparation.storage(b.type).element
        func make<T: Element>(_: T.Type) -> Kernel {
            func makeMixed<U: Element>(_: U.Type) -> Kernel {
                ElementLoops.zip(loops) { (a: T, b: U) -> T in power(a, b) }
            }
            return makeMixed(exponent)
        }
        let kernel = storage == .float && b.type.storage == .float ? ElementLoops.zip(loops, floats) : make(base)
        return Prepared(
            [TensorFact(type: a.type, shape: loops.shape)], overwritable: loops.overwritable([a], by: storage),
            kernel: kernel)
    }

    static let floats = FloatBinary(
        { y, a, b, count in for i in 0..<count { unsafe y[i] = powf(a[i], b[i]) } },
        rightScalar: { unsafe rene_pow($0, $1, $2, $3) },
        leftScalar: { y, a, s, count in for i in 0..<count { unsafe y[i] = powf(s, a[i]) } })

    /// Of integers with exponents from 0 on by multiplication, which wraps; else in double precision.
    private static func power<T: Element, U: Element>(_ base: T, _ exponent: U) -> T {
        guard T.storage.integer != nil, U.storage.integer != nil, !(exponent < U.zero) else {
            return T(clamping: Glibc.pow(base.asDouble, exponent.asDouble))
        }
        var (result, factor, rest) = (T(clamping: 1), base, UInt64(clamping: exponent.asDouble))
        while rest > 0 {
            if rest & 1 == 1 { result = T.multiplying(result, factor) }
            factor = T.multiplying(factor, factor)
            rest >>= 1
        }
        return result
    }

    /// ∂a = dy·b·a^(b−1); ∂b = dy·y·ln a, which is 0 where a is 0 or less.
    private static let powerGradient: GradientRule = { context in
        let (a, b) = (try context.input(0), try context.input(1))
        let gradient = try context.gradient()
        let type = try context.program.fact(a).type
        var results: [ValueID?] = [nil, nil]
        if context.wants(0) {
            let slope: ValueID
            if let constant = context.program[b].constant, constant.count == 1, try constant.doubles()[0] == 2 {
                slope = try context.scale(a, by: 2)
            } else {
                let exponent =
                    try context.program.fact(b).type == type ? b : context.emit("Cast", [b], ["to": Int(type.rawValue)])
                let less = try context.subtract(exponent, context.program.scalar(1, type: type))
                slope = try context.multiply(exponent, context.emit("Pow", [a, less]))
            }
            results[0] = try context.sum(context.multiply(gradient, slope), toInput: 0)
        }
        if context.wants(1) {
            let isPositive = try context.emit("Greater", [a, context.program.scalar(0, type: type)])
            let one = try context.program.scalar(1, type: type)
            let logarithm = try context.emit("Log", [context.emit("Where", [isPositive, a, one])])
            let slope = try context.multiply(context.output(), logarithm)
            results[1] = try context.sum(context.multiply(gradient, slope), toInput: 1)
        }
        return results
    }

    /// The remainder, with the sign of the divisor; with `fmod` with that of the dividend. By zero it is zero, of real
    /// numbers not a number.
    static let mod = Operator("Mod", gradient: modGradient) { preparation in
        let (a, b, loops) = try preparation.pair()
        let (storage, element) = try preparation.storage(a.type)
        let truncates = preparation.attributes.flag("fmod")
        func make<T: Element>(_: T.Type) -> Kernel {
            if let type = T.self as? any (BinaryFloatingPoint & Element).Type { return makeReal(type) }
            return ElementLoops.zip(loops) { (a: T, b: T) -> T in
                if b == T.zero { return T.zero }
                let rest = T.subtracting(a, T.multiplying(b, T.dividing(a, b)))
                let isOpposite = (rest < T.zero) != (b < T.zero)
                return truncates || rest == T.zero || !isOpposite ? rest : T.adding(rest, b)
            }
        }
        func makeReal<T: BinaryFloatingPoint & Element>(_: T.Type) -> Kernel {
            ElementLoops.zip(loops) { (a: T, b: T) -> T in
                let rest = a.truncatingRemainder(dividingBy: b)
                return truncates || rest == 0 || (rest < 0) == (b < 0) ? rest : rest + b
            }
        }
        return Prepared(
            [TensorFact(type: a.type, shape: loops.shape)], overwritable: loops.overwritable([a, b], by: storage),
            kernel: make(element))
    }

    /// ∂a = dy; ∂b = −dy·(a − y)/b, the whole quotient.
    private static let modGradient: GradientRule = { context in
        let gradient = try context.gradient()
        guard context.wants(1) else { return [try context.sum(gradient, toInput: 0), nil] }
        let quotient = try context.divide(
            context.subtract(context.input(0), context.output()), context.input(1))
        let slope = try context.negate(context.multiply(gradient, quotient))
        return [try context.sum(gradient, toInput: 0), try context.sum(slope, toInput: 1)]
    }
}

extension StorageType {
    /// The Swift type of an element where that is an integer.
    var integer: (any (FixedWidthInteger & Element).Type)? { element as? any (FixedWidthInteger & Element).Type }
}
