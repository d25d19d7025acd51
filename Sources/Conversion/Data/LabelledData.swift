internal import ConverterKit
internal import Execution
internal import FineTuning

/// Samples for a model's inputs, batch by batch, with their labels where there are any.
struct LabelledData: Sendable {
    /// What the data allow to look at.
    enum Tier: String, Sendable {
        case none, unlabelled, labelled
    }

    struct Batch: Sendable {
        /// Among all samples.
        var range: Range<Int>
        fileprivate var part: Int
        /// Within the part.
        fileprivate var local: Range<Int>
        /// The last sample is repeated to fill the batch that the model fixes.
        var isFilled = false
        /// Given as it is, with any number of rows.
        var isWhole = false
    }

    private enum Part: Sendable {
        /// Of a file of arrays.
        case arrays([String: BoundArray], count: Int)
        /// One batch as it is.
        case batch([String: RuntimeValue], count: Int)

        var count: Int {
            switch self {
            case .arrays(_, let count), .batch(_, let count): count
            }
        }
    }

    private var parts: [Part]
    /// Class numbers, one for each sample; `nil` where a file has none.
    let labels: [Int]?
    let tier: Tier
    private let fixedBatch: Int?

    var count: Int { parts.reduce(0) { $0 + $1.count } }

    /// Batches as they are, without labels.
    init(batches: [(inputs: [String: RuntimeValue], count: Int)], tier: Tier) {
        parts = batches.map { .batch($0.inputs, count: $0.count) }
        (labels, self.tier, fixedBatch) = (nil, tier, nil)
    }

    /// Reads `.npz` and `.npy` files and folders of `test_data_set_*`.
    ///
    /// - Parameters:
    ///   - normalization: of integer images; without it the model's metadata decide.
    ///   - takesUnequal: whether arrays with several counts of samples are one batch as they are, and no error.
    init(
        _ paths: [String], for model: Model, importer: (any ModelImporter)?, normalization: Normalization? = nil,
        takesUnequal: Bool = false
    ) throws {
        let signature = try ModelSignature(of: model)
        let stated = try normalization ?? Normalization(metadata: model.metadata)
        var parts: [Part] = []
        var labels: [Int]? = []
        for path in paths {
            let (read, found) = try Self.read(
                path, model: model, signature: signature, normalization: stated, importer: importer,
                takesUnequal: takesUnequal)
            guard read.contains(where: { $0.count > 0 }) else { throw DataError.empty(path) }
            parts += read
            labels = found.flatMap { found in labels.map { $0 + found } }
        }
        self.parts = parts
        self.labels = labels
        tier = labels == nil ? .unlabelled : .labelled
        fixedBatch = signature.fixedBatch
    }

    private static func read(
        _ path: String, model: Model, signature: ModelSignature, normalization: Normalization?,
        importer: (any ModelImporter)?, takesUnequal: Bool
    ) throws -> (parts: [Part], labels: [Int]?) {
        if DataSetFolder.isFolder(path) {
            let sets = try DataSetFolder(path).read(for: model, importer: importer)
            return (sets.map { .batch($0, count: 1) }, nil)
        }
        let file = try NumpyFile(path: path)
        var arrays: [String: BoundArray] = [:]
        for input in signature.inputs {
            let isOnly = signature.inputs.count == 1
            let found = try file.array(input.name) ?? (isOnly ? file.array(file.isSingle ? "" : "x") : nil)
            guard let array = found else {
                throw DataError.names(
                    "\(path) has no array for the input \(input.name); it has \(file.names.joined(separator: ", "))"
                )
                .at(.init(file: path))
            }
            do throws(ConversionError) {
                arrays[input.name] = try BoundArray(array, as: input, normalization: normalization)
            } catch {
                throw error.at(.init(file: path))
            }
        }
        let counts = Set(arrays.values.map(\.count))
        guard let count = counts.first else { throw DataError.names("the model has no inputs") }
        guard counts.count == 1 else {
            if takesUnequal {
                let whole = try arrays.mapValues { array in
                    RuntimeValue.tensor(try array.value(0..<array.count, size: array.count))
                }
                return ([.batch(whole, count: 1)], nil)
            }
            throw DataError.shape("the arrays have \(counts.sorted()) samples").at(.init(file: path))
        }
        return ([.arrays(arrays, count: count)], try Self.labels(in: file, signature: signature, count: count))
    }

    private static func labels(in file: NumpyFile, signature: ModelSignature, count: Int) throws -> [Int]? {
        guard !file.isSingle, !signature.inputs.contains(where: { $0.name == "y" }), let array = try file.array("y")
        else { return nil }
        guard array.isInteger, array.shape.dropFirst().allSatisfy({ $0 == 1 }) else {
            throw DataError.labels("y holds \(array.type) of shape \(array.shape)").at(.init(file: file.path))
        }
        guard array.count == count else {
            throw DataError.labels("there are \(array.count) labels for \(count) samples").at(.init(file: file.path))
        }
        return try array.integers().map { Int($0) }
    }

    /// Images of one input that are stored as bytes, all of them; `nil` for other data.
    func byteImages() throws -> Samples? {
        var (bytes, shape, scale, shift): ([UInt8], [Int], [Float], [Float]) = ([], [], [], [])
        for part in parts {
            guard case .arrays(let arrays, let count) = part, arrays.count == 1, let array = arrays.values.first,
                let images = try array.byteImages(count), bytes.isEmpty || images.shape == shape
            else { return nil }
            bytes += images.bytes
            (shape, scale, shift) = (images.shape, images.scale, images.shift)
        }
        guard !bytes.isEmpty else { return nil }
        return Samples(bytes, shape: shape, scale: scale, shift: shift, labels: labels.map { $0.map { Int64($0) } })
    }

    /// The first samples, up to `count`.
    func prefix(_ count: Int) -> LabelledData {
        var copy = LabelledData(
            parts: [], labels: labels.map { Array($0.prefix(count)) }, tier: tier, fixed: fixedBatch)
        var left = count
        for part in parts where left > 0 {
            if case .arrays(let arrays, let all) = part {
                copy.parts.append(.arrays(arrays, count: min(all, left)))
            } else {
                copy.parts.append(part)
            }
            left -= part.count
        }
        return copy
    }

    private init(parts: [Part], labels: [Int]?, tier: Tier, fixed: Int?) {
        (self.parts, self.labels, self.tier, fixedBatch) = (parts, labels, tier, fixed)
    }

    /// All samples in batches of `size`, or of the model's own size where that is fixed.
    func batches(of size: Int) -> [Batch] {
        var batches: [Batch] = []
        var start = 0
        for (index, part) in parts.enumerated() {
            let (step, isWhole): (Int, Bool)
            if case .batch = part {
                (step, isWhole) = (max(1, part.count), true)
            } else {
                (step, isWhole) = (fixedBatch ?? max(1, size), false)
            }
            for first in stride(from: 0, to: part.count, by: step) {
                let local = first..<min(first + step, part.count)
                batches.append(
                    Batch(
                        range: local.lowerBound + start..<local.upperBound + start, part: index, local: local,
                        isFilled: !isWhole && fixedBatch ?? 0 > local.count, isWhole: isWhole))
            }
            start += part.count
        }
        return batches
    }

    /// The inputs of a batch in the model's types. Where the model fixes the batch, the last sample is repeated to fill it.
    func inputs(of batch: Batch) throws -> [String: RuntimeValue] {
        switch parts[batch.part] {
        case .batch(let inputs, _): inputs
        case .arrays(let arrays, _):
            try arrays.mapValues { .tensor(try $0.value(batch.local, size: fixedBatch ?? batch.local.count)) }
        }
    }
}
