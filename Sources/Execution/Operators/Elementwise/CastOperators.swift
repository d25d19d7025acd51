internal import ConverterKit

/// Cast and CastLike: the same numbers in another type.
enum CastOperators {
    static let all = [cast, castLike]

    static let cast = Operator("Cast", gradient: gradient) { preparation in
        // Version 1 names the type, later ones number it.
        let type: ElementType?
        if let number = preparation.attributes.int("to") {
            type = Int32(exactly: number).flatMap { ElementType(rawValue: $0) }
        } else {
            type = preparation.attributes.string("to").flatMap { typesByName[$0.uppercased()] }
        }
        guard let type else { throw ExecutionError.attribute("Cast to a type that is not known") }
        return try prepare(preparation, to: type)
    }

    static let castLike = Operator("CastLike", gradient: gradient) { preparation in
        try prepare(preparation, to: preparation.type(1))
    }

    private static let typesByName: [String: ElementType] = [
        "FLOAT": .float32, "UINT8": .uint8, "INT8": .int8, "UINT16": .uint16, "INT16": .int16, "INT32": .int32,
        "INT64": .int64, "STRING": .string, "BOOL": .bool, "FLOAT16": .float16, "DOUBLE": .float64, "UINT32": .uint32,
        "UINT64": .uint64, "BFLOAT16": .bfloat16,
    ]

    private static func prepare(_ preparation: Preparation, to type: ElementType) throws -> Prepared {
        let fact = try preparation.fact(0)
        if fact.type == type { return .view(fact) }
        if fact.type == .string || type == .string { return try convertStrings(preparation, to: type) }
        let saturates = preparation.attributes.flag("saturate", otherwise: true)
        let kernel = try Conversion.kernel(
            from: fact.type, to: type, count: fact.count, saturates: saturates, preparation)
        let isSameWidth = fact.type.storage?.stride == type.storage?.stride
        return Prepared(
            [TensorFact(type: type, shape: fact.shape)], overwritable: isSameWidth ? [0] : [], kernel: kernel)
    }

    /// Strings lie in no buffer, so they are converted as soon as they are known.
    private static func convertStrings(_ preparation: Preparation, to type: ElementType) throws -> Prepared {
        guard let value = try preparation.content(0) else { throw ExecutionError.missingInput("of Cast") }
        if type == .string { return .known(try TensorValue(strings: Conversion.text(value), shape: value.shape)) }
        let numbers = try value.strings.map { try Conversion.number($0) }
        func make<T: Element>(_: T.Type) throws -> TensorValue {
            let elements = zip(numbers, value.strings).map { number, text in
                // Beyond 2⁵³ double precision does not hold every integer.
                if let integer = T.self as? any (FixedWidthInteger & Element).Type,
                    let exact = parsed(text, integer) as? T
                {
                    return exact
                }
                return type == .bool ? T(clamping: number == 0 ? 0 : 1) : T(clamping: number)
            }
            return try TensorValue(elements: elements, shape: value.shape, type: type)
        }
        let (_, element) = try preparation.storage(type)
        let exact = try make(element)
        guard let format = SmallFloatFormat(type) else {
            unsafe Rounding.round(exact.buffer.base, count: exact.count, type: type)
            return .known(exact)
        }
        let saturates = preparation.attributes.flag("saturate", otherwise: true)
        let rounded = try exact.floats().map { format.round($0, saturates: saturates) }
        return .known(try TensorValue(rounded, shape: value.shape, type: type))
    }

    private static func parsed<T: FixedWidthInteger>(_ text: String, _: T.Type) -> (any FixedWidthInteger)? { T(text) }

    /// Between real types the gradient goes back as it is.
    private static let gradient: GradientRule = { context in
        let type = try context.program.fact(context.input(0)).type
        return [try context.emit("Cast", [context.gradient()], ["to": Int(type.rawValue)])]
    }
}
