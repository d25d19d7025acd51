internal import ConverterKit

/// What a Resize or an Upsample of any version asks for.
struct ResizeGeometry {
    var shape: [Int]
    var method: ResizeAxis.Method
    /// By axis; `nil` for one that stays as it is.
    var tables: [MixTable?]
    /// For results whose place lies outside the source.
    var extrapolation: Float

    init(_ preparation: Preparation) throws {
        let attributes = preparation.attributes
        let input = try preparation.shape(0)
        let isUpsample = preparation.operation == "Upsample"
        let isOld = isUpsample || preparation.version < 11
        let mode = attributes.string("mode") ?? "nearest"
        guard let known = ResizeAxis.Method.Mode(rawValue: ["bilinear": "linear"][mode] ?? mode) else {
            throw ExecutionError.attribute("there is no mode \(mode) of \(preparation.operation)")
        }
        method = ResizeAxis.Method(
            mode: known,
            coordinates: isOld
                ? "asymmetric" : attributes.string("coordinate_transformation_mode") ?? "half_pixel",
            rounding: isOld ? "" : attributes.string("nearest_mode") ?? "round_prefer_floor",
            cubicCoefficient: Double(attributes.float("cubic_coeff_a", otherwise: -0.75)),
            excludesOutside: attributes.flag("exclude_outside"),
            isAntialiased: attributes.flag("antialias"))
        extrapolation = attributes.float("extrapolation_value", otherwise: 0)
        let named = try (attributes.ints("axes") ?? Array(input.indices)).map {
            try Axes.normalized($0, rank: input.count)
        }
        guard Set(named).count == named.count else { throw ExecutionError.attribute("Resize names an axis twice") }
        var axes = input.map { ResizeAxis(source: $0, result: $0, scale: 1) }
        try Self.setExtents(&axes, named, preparation, isOld: isOld, isUpsample: isUpsample)
        if method.coordinates == "tf_crop_and_resize" {
            guard let region = try preparation.content(1)?.doubles(), region.count == 2 * named.count else {
                throw ExecutionError.missingInput("roi of Resize")
            }
            for (position, axis) in named.enumerated() {
                axes[axis].region = (region[position], region[position + named.count])
            }
        }
        shape = axes.map(\.result)
        _ = try shape.elementCount()
        let method = method
        tables = try axes.map { axis in
            let isWhole = method.coordinates != "tf_crop_and_resize" || axis.region == (0, 1)
            if axis.source == axis.result, axis.scale == 1, isWhole { return nil }
            guard axis.source > 0 || axis.result == 0 else { throw ExecutionError.shape("Resize of an empty axis") }
            return try axis.table(method)
        }
    }

    /// By scales or sizes, as attributes or inputs.
    private static func setExtents(
        _ axes: inout [ResizeAxis], _ named: [Int], _ preparation: Preparation, isOld: Bool, isUpsample: Bool
    ) throws {
        let attributes = preparation.attributes
        let scaleInput = isOld ? 1 : 2
        let hasAttribute = isUpsample && preparation.version < 9
        var scales = hasAttribute ? attributes.floats("scales") : try preparation.content(scaleInput)?.floats()
        if scales?.isEmpty ?? false, preparation.isStated(3) { scales = nil }
        if let scales {
            guard scales.count == named.count else {
                throw ExecutionError.shape("\(scales.count) scales for \(named.count) axes")
            }
            for (axis, scale) in zip(named, scales) {
                let extent = (Float(axes[axis].source) * scale).rounded(.down)
                guard scale > 0, extent < 0x1p31 else { throw ExecutionError.attribute("a scale of \(scale)") }
                (axes[axis].result, axes[axis].scale) = (Int(extent), Double(scale))
            }
            return
        }
        guard let sizes = try preparation.integers(3) else { throw ExecutionError.missingInput("scales or sizes") }
        guard sizes.count == named.count, sizes.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
            throw ExecutionError.shape("the sizes \(sizes) for \(named.count) axes")
        }
        let policy = attributes.string("keep_aspect_ratio_policy") ?? "stretch"
        let ratios = zip(named, sizes).map { Double($1) / Double(max(1, axes[$0].source)) }
        for (position, axis) in named.enumerated() {
            (axes[axis].result, axes[axis].scale) = (sizes[position], ratios[position])
        }
        guard policy != "stretch", let least = ratios.min(), let most = ratios.max() else { return }
        guard policy == "not_larger" || policy == "not_smaller" else {
            throw ExecutionError.attribute("there is no policy \(policy) of Resize")
        }
        let scale = policy == "not_larger" ? least : most
        for axis in named {
            let extent = (scale * Double(axes[axis].source) + 0.5).rounded(.down)
            guard extent < 0x1p31 else { throw ExecutionError.shape("a scale of \(scale)") }
            (axes[axis].result, axes[axis].scale) = (Int(extent), scale)
        }
    }

    /// By axis, which results lie outside the source; `nil` when none does.
    var outside: [[Bool]]? {
        guard method.coordinates == "tf_crop_and_resize" else { return nil }
        let flags = tables.enumerated().map { axis, table in
            table.map { table in (0..<table.count).map { table.starts[$0] == table.starts[$0 + 1] } }
                ?? [Bool](repeating: false, count: shape[axis])
        }
        return flags.contains { $0.contains(true) } ? flags : nil
    }
}
