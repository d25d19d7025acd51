internal import ConverterKit

/// DFT and STFT. Complex numbers lie in a last axis of two.
enum SpectrumOperators {
    static let all = [dft, stft]

    /// `Y[k] = Σ X[j]·exp(∓2πi·jk/n)` along an axis; divided by `n` when inverse.
    static let dft = Operator("DFT", tolerance: 1e-4) { preparation in
        let fact = try preparation.fact(0)
        let rank = fact.shape.count
        let attributes = preparation.attributes
        let stated = try preparation.version >= 20 ? preparation.integers(2)?.first : attributes.int("axis")
        let axis = try preparation.axis(stated ?? (preparation.version >= 20 ? -2 : 1), rank: rank)
        guard rank >= 2, axis < rank - 1, let parts = fact.shape.last, parts == 1 || parts == 2 else {
            throw ExecutionError.shape("DFT along axis \(axis) of \(fact.shape)")
        }
        let (isInverse, isOneSided) = (attributes.flag("inverse"), attributes.flag("onesided"))
        // The inverse of a one-sided spectrum is real.
        let isReal = isInverse && isOneSided
        let extent = fact.shape[axis]
        let length = try preparation.integers(1)?.first ?? (isReal ? 2 * (extent - 1) : extent)
        guard length > 0, length < 1 << 24 else { throw ExecutionError.shape("a DFT of length \(length)") }
        let results = isOneSided && !isInverse ? length / 2 + 1 : length
        var shape = fact.shape
        shape[axis] = results
        shape[rank - 1] = isReal ? 1 : 2
        _ = try shape.elementCount()
        let result = TensorFact(type: fact.type, shape: shape)
        let transform = FourierTransform(length: length, isInverse: isInverse)
        let inner = fact.shape[(axis + 1)..<(rank - 1)].reduce(1, *)
        let lanes = fact.shape[..<axis].reduce(1, *) * inner
        let given = min(extent, isReal ? length / 2 + 1 : length)
        func make<T: Element & BinaryFloatingPoint>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let (from, to) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                arguments.pool.split(lanes) { range in
                    var work = FourierTransform.Work(length)
                    for lane in range {
                        let (outer, position) = lane.quotientAndRemainder(dividingBy: inner)
                        work.clear()
                        for j in 0..<given {
                            let element = unsafe from + ((outer * extent + j) * inner + position) * parts
                            work.real[j] = unsafe Double(element[0])
                            work.imaginary[j] = parts == 2 ? unsafe Double(element[1]) : 0
                        }
                        if isReal { work.mirror() }
                        transform.apply(&work, results: results)
                        for k in 0..<results {
                            let element = unsafe to + ((outer * results + k) * inner + position) * (isReal ? 1 : 2)
                            unsafe element[0] = T(work.real[k])
                            if !isReal { unsafe element[1] = T(work.imaginary[k]) }
                        }
                    }
                }
            }
        }
        switch fact.type.storage {
        case .float: return make(Float.self)
        case .double: return make(Double.self)
        default: throw ExecutionError.type("DFT of \(fact.type)")
        }
    }

    /// The spectra of windows of a signal `[N, L]` or `[N, L, parts]`, a step apart: `[N, frames, bins, 2]`.
    static let stft = Operator("STFT", tolerance: 1e-4) { preparation in
        let fact = try preparation.fact(0)
        let parts = fact.shape.count == 3 ? fact.shape[2] : 1
        guard fact.shape.count == 2 || fact.shape.count == 3, parts == 1 || parts == 2,
            let step = try preparation.integers(1)?.first, step > 0
        else { throw ExecutionError.shape("STFT of \(fact.shape)") }
        let windowed = preparation.isStated(2) ? try preparation.fact(2) : nil
        let samples = fact.shape[1]
        let length = try preparation.integers(3)?.first ?? windowed?.count ?? samples
        guard length > 0, length <= samples, length < 1 << 24, windowed.map({ $0.count == length }) ?? true,
            windowed.map({ $0.type.storage == fact.type.storage }) ?? true
        else { throw ExecutionError.shape("STFT of \(fact.shape) in frames of \(length)") }
        let isOneSided = parts == 1 && preparation.attributes.flag("onesided", otherwise: true)
        let (bins, frames) = (isOneSided ? length / 2 + 1 : length, (samples - length) / step + 1)
        let result = TensorFact(type: fact.type, shape: [fact.shape[0], frames, bins, 2])
        _ = try result.shape.elementCount()
        let transform = FourierTransform(length: length, isInverse: false)
        func make<T: Element & BinaryFloatingPoint>(_: T.Type) -> Prepared {
            Prepared([result]) { arguments in
                let (from, to) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                let window = unsafe arguments.optionalInput(2, T.self)
                arguments.pool.split(fact.shape[0] * frames) { range in
                    var work = FourierTransform.Work(length)
                    for unit in range {
                        let (signal, frame) = unit.quotientAndRemainder(dividingBy: frames)
                        let start = unsafe from + (signal * samples + frame * step) * parts
                        for j in 0..<length {
                            let weight = unsafe window.map { unsafe Double($0[j]) } ?? 1
                            work.real[j] = unsafe weight * Double(start[j * parts])
                            work.imaginary[j] = parts == 2 ? unsafe weight * Double(start[j * parts + 1]) : 0
                        }
                        transform.apply(&work, results: bins)
                        for k in 0..<bins {
                            unsafe to[(unit * bins + k) * 2] = T(work.real[k])
                            unsafe to[(unit * bins + k) * 2 + 1] = T(work.imaginary[k])
                        }
                    }
                }
            }
        }
        switch fact.type.storage {
        case .float: return make(Float.self)
        case .double: return make(Double.self)
        default: throw ExecutionError.type("STFT of \(fact.type)")
        }
    }
}
