/// What is known of a value before the model runs: for one input of the model, every free extent set.
struct ValueFact: Sendable, Hashable {
    /// Extents; an entry is `nil` when it depends on the data, the whole when not even the rank is known.
    var shape: [Int?]?
    /// The element type's number.
    var type: Int32?
    /// The elements of a small constant or computed shape, row-major; an entry is `nil` when it is not known.
    var content: [Double?]?

    init(shape: [Int?]? = nil, type: Int32? = nil, content: [Double?]? = nil) {
        self.shape = shape
        self.type = type
        self.content = content
    }

    /// The elements as integers, when all are known.
    var integers: [Int]? {
        guard let content else { return nil }
        var result: [Int] = []
        for element in content {
            guard let element, element.isFinite else { return nil }
            result.append(Int(clamping: element))
        }
        return result
    }

    /// The extents, when all are known.
    var extents: [Int]? {
        guard let shape else { return nil }
        let known = shape.compactMap { $0 }
        return known.count == shape.count ? known : nil
    }

    /// True for a value of an integer type.
    var isInteger: Bool {
        guard let type else { return false }
        return [2, 3, 4, 5, 6, 7, 9, 12, 13].contains(type)
    }

    static let largestContent = 4096
}

extension Int {
    /// The nearest integer of this type towards zero, its bounds when there is none; 0 for not a number.
    init(clamping value: Double) {
        if value.isNaN {
            self = 0
        } else {
            self = Int(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
        }
    }
}

/// One way in which a node is run: a body of a function or loop may run several times.
struct Observation: Sendable, Hashable {
    var inputs: [ValueFact?]
    var outputs: [ValueFact]
    /// How often, for one run of the model.
    var times: Int
}
