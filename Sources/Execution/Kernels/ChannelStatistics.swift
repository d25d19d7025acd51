/// Loops over tensors that lie as `[outer][channels][inner]`, a channel at a time.
@safe struct ChannelLayout: Sendable {
    let outer: Int
    let channels: Int
    let inner: Int

    /// `[batch, channels, axes…]`; a tensor of one axis has one channel.
    init(_ shape: [Int]) {
        outer = shape.first ?? 1
        channels = shape.count > 1 ? shape[1] : 1
        inner = shape.dropFirst(2).reduce(1, *)
    }

    init(outer: Int, channels: Int, inner: Int) {
        (self.outer, self.channels, self.inner) = (outer, channels, inner)
    }

    var perChannel: Int { outer * inner }

    /// Mean and mean square distance from it.
    @specialized(where T == Float)
    @specialized(where T == Double)
    @unsafe func moments<T: RealElement>(_ x: UnsafePointer<T>, of channel: Int) -> (mean: Double, variance: Double) {
        var sum = 0.0
        for index in 0..<outer {
            let from = unsafe x + (index * channels + channel) * inner
            for place in 0..<inner { sum += unsafe Double(from[place]) }
        }
        let count = Double(max(1, perChannel))
        let mean = sum / count
        var squares = 0.0
        for index in 0..<outer {
            let from = unsafe x + (index * channels + channel) * inner
            for place in 0..<inner {
                let distance = unsafe Double(from[place]) - mean
                squares += distance * distance
            }
        }
        return (mean, squares / count)
    }

    /// `y = a·x + b`.
    @specialized(where T == Float)
    @specialized(where T == Double)
    @unsafe func scale<T: RealElement>(
        _ x: UnsafePointer<T>, by a: T, adding b: T, into y: UnsafeMutablePointer<T>, of channel: Int
    ) {
        for index in 0..<outer {
            let start = (index * channels + channel) * inner
            let (from, to) = unsafe (x + start, y + start)
            for place in 0..<inner { unsafe to[place] = a * from[place] + b }
        }
    }

    /// `Σ dy` and `Σ dy · (x − mean) · inverse`.
    @specialized(where T == Float)
    @specialized(where T == Double)
    @unsafe func gradientSums<T: RealElement>(
        _ dy: UnsafePointer<T>, _ x: UnsafePointer<T>, mean: T, inverse: T, of channel: Int
    ) -> (plain: Double, weighted: Double) {
        var (plain, weighted) = (0.0, 0.0)
        for index in 0..<outer {
            let start = (index * channels + channel) * inner
            for place in start..<start + inner {
                let gradient = unsafe dy[place]
                plain += Double(gradient)
                weighted += unsafe Double(gradient * ((x[place] - mean) * inverse))
            }
        }
        return (plain, weighted)
    }

    /// `dx = a·dy − shift − slope · (x − mean)`.
    @specialized(where T == Float)
    @specialized(where T == Double)
    @unsafe func gradient<T: RealElement>(
        _ dy: UnsafePointer<T>, _ x: UnsafePointer<T>, mean: T, a: T, shift: T, slope: T,
        into dx: UnsafeMutablePointer<T>, of channel: Int
    ) {
        for index in 0..<outer {
            let start = (index * channels + channel) * inner
            for place in start..<start + inner {
                unsafe dx[place] = a * dy[place] - shift - slope * (x[place] - mean)
            }
        }
    }
}
