internal import ArgumentParser
internal import Conversion

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Run two models on the same inputs and show how far their outputs are apart.",
        discussion: "Without --data the inputs are drawn: smooth images, normal numbers, token ids within their table.")

    @Argument(help: "The original, or sample:cnn or sample:vit.")
    var original: String

    @Argument(help: "The model made from it.")
    var converted: String

    @Option(
        help: ArgumentHelp(
            "Data: .npz, .npy, or a folder of test_data_set_*. Repeatable.", valueName: "file"))
    var data: [String] = []

    @Option(
        help: ArgumentHelp("Extents of an input whose shape is open: x=1x3x224x224.", valueName: "input=shape"),
        transform: { text in
            guard let shape = LayerRank(parsing: text) else {
                throw ValidationError("'\(text)' is not of the form INPUT=1x3x224x224.")
            }
            return shape
        })
    var inputShape: [LayerRank] = []

    @Option(help: "Seed of the drawn inputs.")
    var seed: UInt64 = 0

    @OptionGroup var options: RunningOptions
    @OptionGroup var plugins: PluginOptions

    func run() async throws {
        let line = ProgressLine(quiet: options.quiet)
        defer { line.finish() }
        var runOptions = options.runOptions
        runOptions.seed = seed
        runOptions.inputShapes = Dictionary(inputShape.map { ($0.name, $0.numbers) }) { _, last in last }
        let difference = try ModelDifference(
            of: Samples.resolve(original), and: Samples.resolve(converted),
            data: data.map { try Samples.resolve($0) }, plugins: plugins.load(), options: runOptions
        ) { line.update($0) }
        line.finish()
        if options.json {
            Terminal.print(try ReportEncoder.json(difference))
        } else {
            Terminal.print(difference.text)
        }
    }
}

/// The options that `evaluate`, `compare` and `run` share.
struct RunningOptions: ParsableArguments {
    @Flag(help: "Print as JSON.")
    var json = false

    @Option(help: "Samples that are run at a time.")
    var batchSize = 100

    @Option(help: "Threads. Default: the machine's cores.")
    var threads: Int?

    @Option(
        help: ArgumentHelp("Memory that the values of a run may take, such as 2G.", valueName: "bytes"),
        transform: { text in
            guard let bytes = ByteCount(parsing: text) else {
                throw ValidationError("'\(text)' is not a number of bytes such as 800M or 2G.")
            }
            return bytes
        })
    var memoryLimit: ByteCount?

    @OptionGroup var normalization: NormalizationOption

    @Flag(name: [.short, .long], help: "No narration on standard error.")
    var quiet = false

    func validate() throws {
        if batchSize < 1 { throw ValidationError("--batch-size must be at least 1.") }
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    }

    var runOptions: RunOptions {
        RunOptions(
            threads: threads ?? Machine.cores, batchSize: batchSize, normalize: normalization.normalize,
            memoryLimit: memoryLimit?.bytes)
    }
}
