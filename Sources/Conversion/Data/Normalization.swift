internal import ConverterKit

/// How integer images become a network's input: `(x · scale − mean) / std`, by channel, in single precision.
public struct Normalization: Sendable, Hashable, Codable {
    /// One number for all channels, or one for each.
    public var mean: [Float]
    public var std: [Float]
    public var scale: Float
    /// The model wants the channels last; images are stored with the channels first.
    public var hasChannelsLast: Bool

    public init(mean: [Float] = [0], std: [Float] = [1], scale: Float = 1 / 255, hasChannelsLast: Bool = false) {
        self.mean = mean
        self.std = std
        self.scale = scale
        self.hasChannelsLast = hasChannelsLast
    }

    /// Reads `mean=0.485,0.456,0.406,std=0.229,0.224,0.225,scale=1/255`, every part optional; `nil` for other text.
    public init?(parsing text: String) {
        self.init()
        var fields: [(key: String, numbers: [String])] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            if let sign = part.firstIndex(of: "=") {
                fields.append((String(part[..<sign]), [String(part[part.index(after: sign)...])]))
            } else if fields.isEmpty {
                return nil
            } else {
                fields[fields.count - 1].numbers.append(String(part))
            }
        }
        for field in fields where !set(field.key, field.numbers) { return nil }
        guard Set(fields.map(\.key)).count == fields.count else { return nil }
    }

    /// As the model's own metadata state it under the same names; `nil` when they state none. Throws
    /// `data.normalization` for what is not understood.
    init?(metadata: [MetadataEntry]) throws(ConversionError) {
        self.init()
        var isStated = false
        for entry in metadata {
            guard let key = entry.key, let value = entry.value else { continue }
            switch key {
            case "mean", "std", "scale":
                guard set(key, value.split(separator: ",").map(String.init)) else {
                    throw DataError.normalization("the model's metadata state \(key) as '\(value)'")
                }
                isStated = true
            case "layout": hasChannelsLast = value.contains("NHWC")
            default: continue
            }
        }
        if !isStated { return nil }
    }

    private mutating func set(_ key: String, _ texts: [String]) -> Bool {
        let numbers = texts.compactMap { Self.number($0) }
        guard numbers.count == texts.count, !numbers.isEmpty else { return false }
        switch key {
        case "mean": mean = numbers
        case "std" where numbers.allSatisfy { $0 != 0 }: std = numbers
        case "scale" where numbers.count == 1: scale = numbers[0]
        default: return false
        }
        return true
    }

    /// A number, or a quotient of two.
    private static func number(_ text: String) -> Float? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map {
            Double($0.drop { $0 == " " })
        }
        guard parts.count <= 2, let first = parts.first ?? nil else { return nil }
        let second = parts.count == 2 ? parts[1] : 1
        guard let second, first.isFinite, second.isFinite, second != 0 else { return nil }
        return Float(first / second)
    }

    /// The text that is read as this.
    public var text: String {
        func list(_ numbers: [Float]) -> String { numbers.map { "\($0)" }.joined(separator: ",") }
        return "mean=\(list(mean)),std=\(list(std)),scale=\(scale)"
    }

    /// Applies to values of `shape`, whose channels are axis `channelAxis`. Throws `data.normalization` when there are
    /// neither one nor as many numbers as channels.
    func apply(to values: inout [Float], shape: [Int], channelAxis: Int) throws(ConversionError) {
        let channels = shape.indices.contains(channelAxis) ? shape[channelAxis] : 1
        for (name, numbers) in [("mean", mean), ("std", std)] where numbers.count != 1 && numbers.count != channels {
            throw DataError.normalization("\(name) has \(numbers.count) numbers, the data have \(channels) channels")
        }
        let run = shape.dropFirst(channelAxis + 1).reduce(1, *)
        guard run > 0, channels > 0 else { return }
        for start in stride(from: 0, to: values.count, by: run) {
            let channel = start / run % channels
            let (shift, divisor) = (mean.count == 1 ? mean[0] : mean[channel], std.count == 1 ? std[0] : std[channel])
            for index in start..<min(start + run, values.count) {
                values[index] = (values[index] * scale - shift) / divisor
            }
        }
    }
}
