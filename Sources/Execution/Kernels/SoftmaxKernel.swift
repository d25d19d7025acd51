internal import CKernels
internal import Glibc

/// Softmax and LogSoftmax along the middle axis of [outer, n, inner], with their derivatives. Where inner is 1 the rows
/// lie in one piece; else vectors of `inner` lanes are worked on side by side.
struct SoftmaxKernel: Sendable {
    let outer: Int
    let n: Int
    let inner: Int
    let isLogarithmic: Bool
    /// How many threads there are.
    let threads: Int

    private var parts: Int { max(1, min(threads, outer)) }

    var count: Int { outer * n * inner }
    /// Two vectors of `inner` for each thread.
    var scratch: Int { inner == 1 ? 0 : 2 * inner * parts * 4 }

    private var grain: Int { max(1, 8192 / max(1, n * inner)) }

    /// Calls `body` for each outer index with a vector pair of the thread's own.
    private func forEachBlock(
        _ arguments: KernelArguments, _ body: (Int, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) {
        let scratch = unsafe arguments.scratch(Float.self)
        let parts = min(parts, arguments.pool.width)
        arguments.pool.run { part, _ in
            guard part < parts else { return }
            let first = unsafe scratch + 2 * part * inner
            for block in part * outer / parts..<(part + 1) * outer / parts { unsafe body(block, first, first + inner) }
        }
    }

    var floats: Kernel {
        { arguments in
            if count == 0 { return }
            let x = unsafe arguments.input(0, Float.self)
            let y = unsafe arguments.output(0, Float.self)
            if inner == 1 {
                arguments.pool.split(outer, grain: grain) { range in
                    let start = range.lowerBound * n
                    if isLogarithmic {
                        unsafe rene_log_softmax(y + start, x + start, range.count, n)
                    } else {
                        unsafe rene_softmax(y + start, x + start, range.count, n)
                    }
                }
                return
            }
            unsafe forEachBlock(arguments) { block, top, sum in
                let from = unsafe x + block * n * inner
                let to = unsafe y + block * n * inner
                unsafe top.update(from: from, count: inner)
                for row in 1..<max(1, n) { unsafe rene_max(top, top, from + row * inner, inner) }
                unsafe rene_fill(sum, 0, inner)
                for row in 0..<n {
                    let place = unsafe to + row * inner
                    unsafe rene_sub(place, from + row * inner, top, inner)
                    if isLogarithmic {
                        // `top` is not needed any more once the differences are there.
                        continue
                    }
                    unsafe rene_exp(place, place, inner)
                    unsafe rene_add(sum, sum, place, inner)
                }
                if isLogarithmic {
                    for row in 0..<n {
                        unsafe rene_exp(top, to + row * inner, inner)
                        unsafe rene_add(sum, sum, top, inner)
                    }
                    unsafe rene_log(sum, sum, inner)
                }
                for row in 0..<n {
                    let place = unsafe to + row * inner
                    if isLogarithmic {
                        unsafe rene_sub(place, place, sum, inner)
                    } else {
                        unsafe rene_div(place, place, sum, inner)
                    }
                }
            }
        }
    }

    /// dx = y·(dy − Σ dy·y), or dx = dy − e^y·Σ dy.
    var floatGradient: Kernel {
        { arguments in
            if count == 0 { return }
            let dy = unsafe arguments.input(0, Float.self)
            let y = unsafe arguments.input(1, Float.self)
            let dx = unsafe arguments.output(0, Float.self)
            if inner == 1 {
                arguments.pool.split(outer, grain: grain) { range in
                    let start = range.lowerBound * n
                    if isLogarithmic {
                        unsafe rene_log_softmax_gradient(dx + start, dy + start, y + start, range.count, n)
                    } else {
                        unsafe rene_softmax_gradient(dx + start, dy + start, y + start, range.count, n)
                    }
                }
                return
            }
            unsafe forEachBlock(arguments) { block, sum, other in
                let start = block * n * inner
                unsafe rene_fill(sum, 0, inner)
                for place in stride(from: start, to: start + n * inner, by: inner) {
                    if isLogarithmic {
                        unsafe rene_add(sum, sum, dy + place, inner)
                    } else {
                        unsafe rene_multiply_add(sum, dy + place, y + place, sum, inner)
                    }
                }
                for place in stride(from: start, to: start + n * inner, by: inner) {
                    if isLogarithmic {
                        unsafe rene_exp(other, y + place, inner)
                        unsafe rene_mul(other, other, sum, inner)
                        unsafe rene_sub(dx + place, dy + place, other, inner)
                    } else {
                        unsafe rene_sub(other, dy + place, sum, inner)
                        unsafe rene_mul(dx + place, y + place, other, inner)
                    }
                }
            }
        }
    }

    /// In double precision, one row after the other.
    var doubles: Kernel {
        { arguments in
            let x = unsafe arguments.input(0, Double.self)
            let y = unsafe arguments.output(0, Double.self)
            for row in 0..<outer * inner {
                let start = row / inner * n * inner + row % inner
                let places = stride(from: start, to: start + n * inner, by: inner)
                var top = -Double.infinity
                for place in places { unsafe top = max(top, x[place]) }
                var sum = 0.0
                for place in places { unsafe sum += exp(x[place] - top) }
                for place in places {
                    let difference = unsafe x[place] - top
                    unsafe y[place] = isLogarithmic ? difference - log(sum) : exp(difference) / sum
                }
            }
        }
    }

    var doubleGradient: Kernel {
        { arguments in
            let dy = unsafe arguments.input(0, Double.self)
            let y = unsafe arguments.input(1, Double.self)
            let dx = unsafe arguments.output(0, Double.self)
            for row in 0..<outer * inner {
                let start = row / inner * n * inner + row % inner
                let places = stride(from: start, to: start + n * inner, by: inner)
                var sum = 0.0
                for place in places { unsafe sum += isLogarithmic ? dy[place] : dy[place] * y[place] }
                for place in places {
                    unsafe dx[place] =
                        isLogarithmic ? dy[place] - exp(y[place]) * sum : y[place] * (dy[place] - sum)
                }
            }
        }
    }
}
