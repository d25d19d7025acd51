internal import ConverterKit

/// Resize and Upsample: interpolation, one axis after the other.
enum ResizeOperators {
    static let all = [resize, upsample, axisMix]

    static let resize = Operator("Resize", gradient: { try backwards($0) }, prepare: { try prepare($0) })

    /// What Resize was called first.
    static let upsample = Operator("Upsample", gradient: { try backwards($0) }, prepare: { try prepare($0) })

    /// A table applied along `axis`: `Y[…, i, …] = Σ weightᵢⱼ · X[…, j, …]`.
    static let axisMix = Operator(
        "AxisMix", domain: "rene",
        gradient: { context in
            let axis = context.attributes.int("axis", otherwise: 0)
            return [try mixed(context, context.gradient(), MixTable(context.attributes).transposed, axis: axis)]
        },
        prepare: { preparation in
            let fact = try preparation.fact(0)
            let axis = try preparation.axis(
                preparation.attributes.int("axis", otherwise: 0), rank: fact.shape.count)
            let table = try MixTable(preparation.attributes)
            guard !fact.shape.isEmpty, fact.shape[axis] == table.extent else {
                throw ExecutionError.shape("a table of \(table.extent) for axis \(axis) of \(fact.shape)")
            }
            let mix = AxisMix(
                table: table, outer: fact.shape[..<axis].reduce(1, *), inner: fact.shape[(axis + 1)...].reduce(1, *))
            var shape = fact.shape
            shape[axis] = table.count
            _ = try shape.elementCount()
            let result = TensorFact(type: fact.type, shape: shape)
            func make<T: Element & BinaryFloatingPoint>(_: T.Type) -> Prepared {
                Prepared([result], macs: mix.macs) { arguments in
                    unsafe mix.run(arguments.input(0, T.self), arguments.output(0, T.self), pool: arguments.pool)
                }
            }
            switch fact.type.storage {
            case .float: return make(Float.self)
            case .double: return make(Double.self)
            default: throw ExecutionError.type("an axis of \(fact.type) is not mixed")
            }
        })

    private static func mixed(_ context: GradientContext, _ value: ValueID, _ table: MixTable, axis: Int) throws
        -> ValueID
    {
        var attributes = table.attributes
        attributes.set("axis", axis)
        return try context.emit("AxisMix", domain: "rene", [value], attributes)
    }

    private static func backwards(_ context: GradientContext) throws -> [ValueID?] {
        var gradient = try context.gradient()
        for (axis, table) in try ResizeGeometry(context.preparation()).tables.enumerated() {
            guard let table else { continue }
            gradient = try mixed(context, gradient, table.transposed, axis: axis)
        }
        return [gradient]
    }

    private static func prepare(_ preparation: Preparation) throws -> Prepared {
        let fact = try preparation.fact(0)
        let geometry = try ResizeGeometry(preparation)
        let result = TensorFact(type: fact.type, shape: geometry.shape)
        if geometry.tables.allSatisfy({ $0 == nil }) { return .view(result) }
        guard let element = fact.type.storage?.element else {
            throw ExecutionError.unsupported("Resize of \(fact.type)")
        }
        if geometry.method.mode == .nearest { return try nearest(fact, result, geometry, element) }
        switch fact.type.storage {
        case .float: return interpolated(fact, result, geometry, Float.self)
        case .double: return interpolated(fact, result, geometry, Double.self)
        default: return rounded(fact, result, geometry, element)
        }
    }

    private static func nearest<T: Element>(
        _ fact: TensorFact, _ result: TensorFact, _ geometry: ResizeGeometry, _: T.Type
    ) throws -> Prepared {
        let maps = geometry.tables.enumerated().map { axis, table in
            guard let table else { return Array(0..<fact.shape[axis]) }
            return (0..<table.count).map {
                table.starts[$0] == table.starts[$0 + 1] ? 0 : table.sources[table.starts[$0]]
            }
        }
        let copy = MappedCopy(extents: fact.shape, maps: maps, elementSize: try fact.elementSize())
        let outside = geometry.outside.map { Outside($0, value: geometry.extrapolation) }
        return Prepared([result]) { arguments in
            unsafe copy.run(from: arguments.bytes(of: 0), to: arguments.outputBytes(), pool: arguments.pool)
            unsafe outside?.fill(arguments.output(0, T.self))
        }
    }

    private static func interpolated<T: Element & BinaryFloatingPoint>(
        _ fact: TensorFact, _ result: TensorFact, _ geometry: ResizeGeometry, _: T.Type
    ) -> Prepared {
        let (mixes, largest) = steps(fact.shape, geometry)
        let part = Arena.rounded(largest * T.storage.stride)
        let outside = geometry.outside.map { Outside($0, value: geometry.extrapolation) }
        return Prepared(
            [result], scratch: mixes.count > 1 ? 2 * part : 0, macs: mixes.reduce(0) { $0 + $1.macs }
        ) { arguments in
            let to = unsafe arguments.output(0, T.self)
            var from = unsafe arguments.input(0, T.self)
            for (step, mix) in mixes.enumerated() {
                let target =
                    unsafe step == mixes.count - 1
                    ? to : arguments.scratch(T.self) + (step % 2) * (part / T.storage.stride)
                unsafe mix.run(from, target, pool: arguments.pool)
                unsafe from = UnsafePointer(target)
            }
            unsafe outside?.fill(to)
        }
    }

    /// Of integers: in double precision, cut to integers at the end.
    private static func rounded<T: Element>(
        _ fact: TensorFact, _ result: TensorFact, _ geometry: ResizeGeometry, _: T.Type
    ) -> Prepared {
        let (mixes, largest) = steps(fact.shape, geometry)
        let part = max(largest, fact.count, result.count)
        let outside = geometry.outside.map { Outside($0, value: geometry.extrapolation) }
        return Prepared([result], scratch: 2 * part * 8, macs: mixes.reduce(0) { $0 + $1.macs }) { arguments in
            let (input, to) = unsafe (arguments.input(0, T.self), arguments.output(0, T.self))
            var (from, target) = unsafe (arguments.scratch(Double.self), arguments.scratch(Double.self) + part)
            for index in 0..<fact.count { unsafe from[index] = input[index].asDouble }
            for mix in mixes {
                unsafe mix.run(UnsafePointer(from), target, pool: arguments.pool)
                unsafe swap(&from, &target)
            }
            for index in 0..<result.count {
                let value = unsafe from[index]
                let near = value.rounded()
                // Weights that add up to almost one must not cost a unit.
                unsafe to[index] = T(clamping: abs(value - near) < 1e-4 ? near : value)
            }
            unsafe outside?.fill(to)
        }
    }

    /// The axes that change, inner ones first when the tensor grows, and elements of the largest value in between.
    private static func steps(_ shape: [Int], _ geometry: ResizeGeometry) -> (mixes: [AxisMix], largest: Int) {
        let axes = shape.indices.filter { geometry.tables[$0] != nil }
        let grows = geometry.shape.reduce(1, *) >= shape.reduce(1, *)
        var (current, largest, mixes) = (shape, 0, [AxisMix]())
        for axis in grows ? axes.reversed() : axes {
            guard let table = geometry.tables[axis] else { continue }
            mixes.append(
                AxisMix(table: table, outer: current[..<axis].reduce(1, *), inner: current[(axis + 1)...].reduce(1, *)))
            current[axis] = table.count
            largest = max(largest, current.reduce(1, *))
        }
        return (mixes, largest)
    }

    /// Results that have no source.
    private struct Outside {
        private let places: [Int]
        private let value: Float

        init(_ flags: [[Bool]], value: Float) {
            let extents = flags.map(\.count)
            self.value = value
            places = (0..<extents.reduce(1, *)).filter { place in
                var left = place
                for axis in extents.indices.reversed() {
                    if flags[axis][left % extents[axis]] { return true }
                    left /= extents[axis]
                }
                return false
            }
        }

        @unsafe func fill<T: Element>(_ memory: UnsafeMutablePointer<T>) {
            for place in places { unsafe memory[place] = T(clamping: Double(value)) }
        }
    }
}
