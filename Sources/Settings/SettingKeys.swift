internal import Conversion
internal import FineTuning

/// Every setting.
extension SettingKey {
    public static let all: [SettingKey] = conversion + daemonKeys

    /// The key with this name; dashes count as underscores.
    static func named(_ name: String) -> SettingKey? { table[normal(name)] }

    static func normal(_ name: String) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }

    private static let table = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// Settings of a conversion: the options of `convert` under the same names.
    static let conversion: [SettingKey] = [
        SettingKey(
            "decomposition", \.conversion.decomposition, .list(.name, atLeast: 1), in: job,
            "Chains that a layer may become; auto lets each layer choose."),
        SettingKey("search", \.conversion.search, .name, in: job, "How ranks are found."),
        SettingKey(
            "reduce", \.conversion.reduce, .reductions, in: job,
            "Shares of the whole model to remove, all of which must hold: params=50%, macs=50%, bytes=50%."),
        SettingKey(
            "max_error", \.conversion.maxError, .optional(.number(0, below: 1)), in: job,
            "Largest relative error of the outputs; without a budget 0.02 without data, 0.05 with data."),
        SettingKey(
            "max_drop", \.conversion.maxDrop, .optional(.number(0, below: 100)), in: job,
            "Largest drop of top-1 in points; needs labels. Without a budget 1.0 where there are labels."),
        SettingKey(
            "data", \.conversion.data, .list(.pattern), in: folders,
            "Files of data, .npz or .npy, or folders of ONNX's test data sets; a model's own NAME.npz goes before."),
        SettingKey(
            "validation_data", \.conversion.validationData, .list(.pattern), in: folders,
            "What errors and top-1 are measured on; without it data."),
        SettingKey(
            "normalize", \.conversion.normalize, .optional(.normalization), in: job,
            "Of integer images: mean=0.5,std=0.5,scale=1/255, by channel; without it the model's metadata decide."),
        SettingKey(
            "fine_tune", \.conversion.fineTuning.epochs, .integer(0, 100_000), in: job,
            "Passes over the data to train the result with."),
        SettingKey(
            "learning_rate", \.conversion.fineTuning.learningRate, .optional(.number(0, below: 1000)), in: job,
            "Peak learning rate; without it by the share of the parameters that was removed."),
        SettingKey(
            "batch_size", \.conversion.fineTuning.batchSize, .integer(1, 1 << 20), in: job,
            "Samples of a training step."),
        SettingKey(
            "lambda", \.conversion.fineTuning.lambda, .number(0, below: 1e6), in: job,
            "Weight of the dissimilarity of layers in the loss of fine-tuning."),
        SettingKey(
            "distillation", \.conversion.fineTuning.distillation, .number(0, below: 1.0001), in: job,
            "Share of the distillation from the original in the loss; the labels have the rest."),
        SettingKey(
            "teacher", \.conversion.teacher, .optional(.name), in: folders, "Another model to distil from."),
        SettingKey(
            "rank_multiple", \.conversion.rankMultiple, .integer(1, 1 << 20), in: job,
            "Candidate ranks are multiples of this."),
        SettingKey(
            "include", \.conversion.include, .list(.pattern), in: job,
            "Patterns of layers to take although they are kept by default."),
        SettingKey(
            "exclude", \.conversion.exclude, .list(.pattern), in: job, "Patterns of layers to keep as they are."),
        SettingKey(
            "rank", \.conversion.ranks, .mapping(.numbers), in: job,
            "Ranks by layer: a number, a list, or text such as 8x12."),
        SettingKey(
            "input_shape", \.conversion.inputShapes, .mapping(.numbers), in: job,
            "Extents of inputs whose shape the model leaves open."),
        SettingKey("seed", \.conversion.seed, .integer(0, .max), in: job, "Seed of everything random."),
        SettingKey(
            "threads", \.threads, .optional(.integer(1, 4096)), in: job,
            "Threads of a worker; without it the cores are divided among the workers.",
            also: { value, settings in if let value { settings.conversion.threads = value } }),
        SettingKey(
            "time_limit", \.conversion.timeLimit, .optional(.duration(0.001, 1e9)), in: job,
            "Time after which a conversion is given up."),
        SettingKey(
            "memory_limit", \.conversion.memoryLimit, .optional(.bytes(atLeast: 1)), in: job,
            "Memory that one layer's numerics may take; a layer that needs more stays as it is."),
        SettingKey("format", \.conversion.format, .name, in: job, "The output format, by the name of an exporter."),
        SettingKey("overwrite", \.conversion.overwrite, .flag, in: job, "Replaces results that exist."),
        SettingKey(
            "priority", \.priority, .integer(-1000, 1000), in: folders, "Models of higher priority are converted first."
        ),
    ]

    static let daemonKeys: [SettingKey] = [
        SettingKey(
            "stability_delay", \.stabilityDelay, .duration(0, 86_400),
            "How long a file must stay unchanged before it is taken."),
        SettingKey(
            "rescan_interval", \.rescanInterval, .duration(1, 86_400),
            "How often the whole inbox is looked through, whatever was notified."),
        SettingKey(
            "polling", \.polling, .choice, reload: .restart,
            "Whether the inbox is polled instead of watched; auto polls where the file system tells nothing."),
        SettingKey(
            "polling_interval", \.pollingInterval, .duration(0.1, 86_400), reload: .restart, "Time between two polls."),
        SettingKey(
            "workers", \.workers, .optional(.integer(1, 1024)),
            "Conversions at a time; without it as many as cores and memory allow."),
        SettingKey(
            "worker_memory_limit", \.workerMemoryLimit, .optional(.bytes(atLeast: 64 << 20)),
            "Memory that a worker may take before the system stops it."),
        SettingKey(
            "stage_deadlines", \.stageDeadlines, .mapping(.duration(0.1, 1e9)),
            "Longest time in each stage of a conversion; default holds for stages that are not named."),
        SettingKey(
            "heartbeat_timeout", \.heartbeatTimeout, .duration(1, 86_400), "A worker silent for this long is stopped."),
        SettingKey("attempts", \.attempts, .integer(1, 100), "Runs of a job before it goes to failed."),
        SettingKey(
            "retry_delay", \.retryDelay, .duration(0.1, 86_400),
            "First pause before a job is tried again; doubled each time."),
        SettingKey("retry_delay_limit", \.retryDelayLimit, .duration(0.1, 604_800), "Longest pause between two tries."),
        SettingKey("source", \.source, .choice, "What becomes of a source after its result is durable."),
        SettingKey("log_level", \.logLevel, .choice, "The least important message that is logged."),
        SettingKey("history", \.history, .duration(3600, 1e10), "How long ended jobs are remembered."),
        SettingKey(
            "folders", \.folders, .folders, in: [.file],
            "Settings for the models of sub-folders of the inbox, by pattern; later ones win."),
    ]
}
