internal import ArgumentParser
internal import Conversion
internal import Decompositions
internal import FineTuning
internal import LinearAlgebra
internal import RankSearch

/// The options that `convert` and `plan` share.
struct ConversionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Chains that a layer may become, separated by commas.",
            discussion: "One or more of: auto, \(DecompositionRegistry.all.map { $0.id }.joined(separator: ", ")).",
            valueName: "names"))
    var decomposition = "auto"

    @Option(
        help: ArgumentHelp(
            "How ranks are found: \(SearchRegistry.all.map { $0.id }.joined(separator: ", ")).", valueName: "name"))
    var search = "rene"

    @Option(
        help: ArgumentHelp(
            "Remove at least this share of the model: params=50%, macs=50% or bytes=50%. Repeatable; all must hold.",
            valueName: "quantity=share"),
        transform: { text in
            guard let reduction = Reduction(parsing: text) else {
                throw ValidationError("'\(text)' is not of the form params=50%, macs=0.5 or bytes=30%.")
            }
            return reduction
        })
    var reduce: [Reduction] = []

    @Option(
        help: ArgumentHelp(
            "Largest relative error of the outputs. Default without a budget: 0.02, with unlabelled data 0.05.",
            discussion: "Where the graph cannot be executed it bounds each layer's relative weight error."))
    var maxError: Double?

    @Option(help: "Largest drop of top-1 in points; needs labels. Default with labels and no other budget: 1.0.")
    var maxDrop: Double?

    @Option(
        help: ArgumentHelp(
            "Data: .npz with arrays named as the inputs (or x) and labels y, .npy, or a folder of test_data_set_*. "
                + "Repeatable.", valueName: "file"))
    var data: [String] = []

    @Option(
        help: ArgumentHelp("Data that errors and top-1 are measured on instead. Repeatable.", valueName: "file"))
    var validationData: [String] = []

    @OptionGroup var normalization: NormalizationOption

    @OptionGroup var fineTuning: FineTuningOptions

    @Option(help: "Candidate ranks are multiples of this.")
    var rankMultiple = 1

    @Option(
        help: ArgumentHelp(
            "Factorize only layers that match, those kept by default among them (* and ? as in a shell). Repeatable.",
            valueName: "pattern"))
    var include: [String] = []

    @Option(help: ArgumentHelp("Keep layers that match. Repeatable.", valueName: "pattern"))
    var exclude: [String] = []

    @Option(
        help: ArgumentHelp("Set the rank of a layer: NODE=8, or NODE=8x12 for two ranks.", valueName: "node=rank"),
        transform: { text in
            guard let rank = LayerRank(parsing: text) else {
                throw ValidationError("'\(text)' is not of the form NODE=8 or NODE=8x12.")
            }
            return rank
        })
    var rank: [LayerRank] = []

    @Option(
        help: ArgumentHelp("Extents of an input whose shape is open: x=1x3x224x224.", valueName: "input=shape"),
        transform: { text in
            guard let shape = LayerRank(parsing: text) else {
                throw ValidationError("'\(text)' is not of the form INPUT=1x3x224x224.")
            }
            return shape
        })
    var inputShape: [LayerRank] = []

    @Option(help: "Seed of everything random.")
    var seed: UInt64 = 0

    @Option(help: "Threads. Default: the machine's cores.")
    var threads: Int?

    @Option(help: "Seconds after which the conversion is given up.")
    var timeLimit: Double?

    @Option(
        help: ArgumentHelp("Memory that one layer's numerics may take, such as 2G.", valueName: "bytes"),
        transform: { text in
            guard let bytes = ByteCount(parsing: text) else {
                throw ValidationError("'\(text)' is not a number of bytes such as 800M or 2G.")
            }
            return bytes
        })
    var memoryLimit: ByteCount?

    @Option(help: "The output format, by the name of an exporter.")
    var format = "onnx"

    @Flag(help: .hidden)
    var fullRank = false

    func validate() throws {
        if let maxError, !(maxError >= 0 && maxError < 1) {
            throw ValidationError("--max-error must be at least 0 and below 1.")
        }
        if let maxDrop, !(maxDrop >= 0 && maxDrop < 100) {
            throw ValidationError("--max-drop must be at least 0 and below 100.")
        }
        if maxDrop != nil, data.isEmpty, validationData.isEmpty {
            throw ValidationError("--max-drop needs --data with labels.")
        }
        if fineTuning.fineTune > 0, data.isEmpty { throw ValidationError("--fine-tune needs --data.") }
        if rankMultiple < 1 { throw ValidationError("--rank-multiple must be at least 1.") }
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
        if let timeLimit, !(timeLimit > 0) { throw ValidationError("--time-limit must be above 0.") }
    }

    /// Throws `input.sample-missing` for data that are no sample.
    func resolvedSettings() throws -> ConversionSettings {
        var settings = settings
        settings.data = try data.map { try Samples.resolve($0) }
        settings.validationData = try validationData.map { try Samples.resolve($0) }
        return settings
    }

    var settings: ConversionSettings {
        var settings = ConversionSettings()
        settings.decomposition = decomposition.split(separator: ",").map(String.init)
        settings.search = search
        settings.reduce = reduce
        settings.maxError = maxError
        settings.maxDrop = maxDrop
        settings.data = data
        settings.validationData = validationData
        settings.normalize = normalization.normalize
        settings.rankMultiple = rankMultiple
        settings.fineTuning = fineTuning.settings
        settings.teacher = fineTuning.teacher
        settings.include = include
        settings.exclude = exclude
        settings.ranks = Dictionary(rank.map { ($0.name, $0.numbers) }) { _, last in last }
        settings.inputShapes = Dictionary(inputShape.map { ($0.name, $0.numbers) }) { _, last in last }
        settings.seed = seed
        settings.threads = threads ?? Machine.cores
        settings.timeLimit = timeLimit
        settings.memoryLimit = memoryLimit?.bytes
        settings.format = format
        settings.fullRank = fullRank
        return settings
    }
}

/// How integer images become a network's input.
struct NormalizationOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "For integer images, (x * scale - mean) / std: mean=0.485,0.456,0.406,std=0.229,0.224,0.225,scale=1/255.",
            discussion: "Default: the model's metadata of the same names.", valueName: "numbers"),
        transform: { text in
            guard let value = Normalization(parsing: text) else {
                throw ValidationError("'\(text)' is not of the form mean=0.5,std=0.5,scale=1/255.")
            }
            return value
        })
    var normalize: Normalization?
}

/// A name and positive numbers: `NAME=8x12`. The name may itself contain `=`.
struct LayerRank: Sendable, Hashable {
    var name: String
    var numbers: [Int]

    init?(parsing text: String) {
        guard let split = text.lastIndex(of: "="), split != text.startIndex else { return nil }
        let numbers = text[text.index(after: split)...].split(separator: "x", omittingEmptySubsequences: false)
            .map { Int($0) ?? 0 }
        guard !numbers.isEmpty, numbers.allSatisfy({ $0 > 0 }) else { return nil }
        name = String(text[..<split])
        self.numbers = numbers
    }
}

/// A number of bytes with an optional unit K, M, G or T (powers of 1024).
struct ByteCount: Sendable, Hashable {
    var bytes: Int

    init?(parsing text: String) {
        let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
        let shift = text.last.flatMap { units[Character($0.uppercased())] }
        guard let number = Double(shift == nil ? Substring(text) : text.dropLast()), number > 0,
            let bytes = Int(exactly: (number * Double(1 << (shift ?? 0))).rounded())
        else { return nil }
        self.bytes = bytes
    }
}
