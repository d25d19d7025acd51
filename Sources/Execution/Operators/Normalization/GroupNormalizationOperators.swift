internal import ConverterKit

/// Normalisation of groups of channels within each image; of single channels it is InstanceNormalization.
enum GroupNormalizationOperators {
    static let all = [group, instance, gradientOperator]

    /// X `[batch, channels, axes…]`; scale and bias by channels, before version 21 by groups. Besides Y, mean and inverse
    /// deviation `[batch, groups]` come out for the gradient.
    static let group = Operator("GroupNormalization", gradient: gradient) { preparation in
        let groups = preparation.attributes.int("num_groups", otherwise: 0)
        return try normalization(preparation, groups: groups, isByGroup: preparation.version < 21)
    }

    static let instance = Operator("InstanceNormalization", gradient: gradient) { preparation in
        let shape = try preparation.shape(0)
        return try normalization(preparation, groups: shape.count > 1 ? shape[1] : 0, isByGroup: false)
    }

    private static func normalization(_ preparation: Preparation, groups: Int, isByGroup: Bool) throws -> Prepared {
        let fact = try preparation.fact(0)
        guard fact.shape.count >= 2, groups > 0, fact.shape[1] % groups == 0 else {
            throw ExecutionError.shape("\(preparation.operation) of \(fact.shape) in \(groups) groups")
        }
        let (channels, inner) = (fact.shape[1], fact.shape[2...].reduce(1, *))
        let together = channels / groups
        for index in 1...2 {
            let other = try preparation.fact(index)
            guard other.shape == [isByGroup ? groups : channels], other.type.storage == fact.type.storage else {
                throw ExecutionError.shape("\(preparation.operation) of \(fact.shape) with \(other.shape)")
            }
        }
        let rows = RowNormalization(
            rows: fact.shape[0] * groups, count: together * inner, isCentred: true,
            epsilon: Double(preparation.attributes.float("epsilon", otherwise: 1e-5)))
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (x, y) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
                let (scale, bias) = unsafe (arguments.input(1, T.self), arguments.input(2, T.self))
                let (mean, inverse) = unsafe (arguments.output(1, T.self), arguments.output(2, T.self))
                let planes = ChannelLayout(outer: 1, channels: fact.shape[0] * channels, inner: inner)
                arguments.pool.split(rows.rows, grain: rows.grain) { range in
                    unsafe rows.run(x, scale: nil, bias: nil, into: y, mean: mean, inverse: inverse, rows: range)
                    for plane in range.lowerBound * together..<range.upperBound * together {
                        let channel = plane % channels
                        let place = isByGroup ? channel / together : channel
                        unsafe planes.scale(
                            UnsafePointer(y), by: scale[place], adding: bias[place], into: y, of: plane)
                    }
                }
            }
        }
        let statistics = TensorFact(
            type: fact.type.storage == .double ? .float64 : .float32, shape: [fact.shape[0], groups])
        return Prepared(
            [fact, statistics, statistics], overwritable: [0],
            kernel: make(try fact.realElement(preparation.operation)))
    }

    /// `∂X`, `∂scale` and `∂B` (both by channels) from `∂Y`, X, scale by channels, mean and inverse deviation.
    static let gradientOperator = Operator("GroupNormalizationGradient", domain: "rene") { preparation in
        let (fact, statistics) = (try preparation.fact(1), try preparation.fact(3))
        guard fact.shape.count >= 2, statistics.shape.count == 2, statistics.shape[0] == fact.shape[0],
            statistics.shape[1] > 0, fact.shape[1] % statistics.shape[1] == 0, try preparation.fact(0) == fact,
            try preparation.shape(2) == [fact.shape[1]]
        else { throw ExecutionError.shape("GroupNormalizationGradient of \(fact.shape) and \(statistics.shape)") }
        let (batch, channels, groups) = (fact.shape[0], fact.shape[1], statistics.shape[1])
        let (together, inner) = (channels / groups, fact.shape[2...].reduce(1, *))
        let planes = ChannelLayout(outer: 1, channels: batch * channels, inner: inner)
        let count = Double(max(1, together * inner))
        func make<T: RealElement>(_: T.Type) -> Kernel {
            { arguments in
                let (dy, x) = unsafe (arguments.input(0, T.self), arguments.input(1, T.self))
                let (scale, mean) = unsafe (arguments.input(2, T.self), arguments.input(3, T.self))
                let (inverse, dx) = unsafe (arguments.input(4, T.self), arguments.output(0, T.self))
                let (dScale, dBias) = unsafe (arguments.output(1, T.self), arguments.output(2, T.self))
                let sums = unsafe arguments.scratch(Double.self)
                arguments.pool.split(batch * groups, grain: max(1, (1 << 14) / (together * max(1, inner)))) { range in
                    for row in range {
                        let (center, factor) = unsafe (mean[row], inverse[row])
                        var (sum, weighted) = (0.0, 0.0)
                        for plane in row * together..<(row + 1) * together {
                            let own = unsafe planes.gradientSums(dy, x, mean: center, inverse: factor, of: plane)
                            unsafe (sums[2 * plane], sums[2 * plane + 1]) = (own.plain, own.weighted)
                            let weight = unsafe Double(scale[plane % channels])
                            sum += weight * own.plain
                            weighted += weight * own.weighted
                        }
                        let shift = Double(factor) * sum / count
                        let slope = Double(factor) * Double(factor) * weighted / count
                        for plane in row * together..<(row + 1) * together {
                            unsafe planes.gradient(
                                dy, x, mean: center, a: factor * scale[plane % channels], shift: T(shift),
                                slope: T(slope), into: dx, of: plane)
                        }
                    }
                }
                for channel in 0..<channels {
                    var (plain, weighted) = (0.0, 0.0)
                    for image in 0..<batch {
                        plain += unsafe sums[2 * (image * channels + channel)]
                        weighted += unsafe sums[2 * (image * channels + channel) + 1]
                    }
                    unsafe (dScale[channel], dBias[channel]) = (T(weighted), T(plain))
                }
            }
        }
        let channelFact = try preparation.fact(2)
        return Prepared(
            [fact, channelFact, channelFact], scratch: 16 * batch * channels,
            kernel: make(try fact.realElement("GroupNormalizationGradient")))
    }

    private static let gradient: GradientRule = { context in
        let (x, scale) = (try context.input(0), try context.input(1))
        let channels = try context.shape(x)[1]
        let statistics = try context.output(1)
        let groups = try context.shape(statistics)[1]
        let isByGroup = context.use.key.name == "GroupNormalization" && context.version < 21
        func byChannel(_ id: ValueID) throws -> ValueID {
            guard isByGroup else { return id }
            let wide = try context.expand(context.reshape(id, [groups, 1]), [groups, channels / groups])
            return try context.reshape(wide, [channels])
        }
        func byGroup(_ id: ValueID) throws -> ValueID {
            guard isByGroup else { return id }
            return try context.reduceSum(
                context.reshape(id, [groups, channels / groups]), axes: [1], keepsAxes: false)
        }
        let results = try context.program.emit(
            "GroupNormalizationGradient", domain: "rene",
            [context.gradient(), x, byChannel(scale), statistics, context.output(2)], [:], outputs: 3)
        guard results.count == 3 else { throw ExecutionError.internal("GroupNormalizationGradient gives no result") }
        return [results[0], try byGroup(results[1]), try byGroup(results[2])]
    }
}
