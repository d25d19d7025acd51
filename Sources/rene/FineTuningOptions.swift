internal import ArgumentParser
internal import FineTuning

/// How the factorized model is fine-tuned.
struct FineTuningOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Passes over the data to train the result with; 0 for none.", valueName: "epochs"))
    var fineTune = 0

    @Option(help: "Peak learning rate. Default: by the share of the parameters that was removed.")
    var learningRate: Double?

    @Option(help: "Samples of a training step.")
    var batchSize = 128

    @Option(help: ArgumentHelp("Weight of the dissimilarity of layers in the loss.", valueName: "weight"))
    var lambda = 0.5

    @Option(help: ArgumentHelp("Share of the distillation in the loss; the labels have the rest.", valueName: "share"))
    var distillation = 0.5

    @Option(help: "Temperature of the distillation.")
    var temperature = 4.0

    @Option(help: "The optimizer.", transform: choice)
    var optimizer = FineTuningSettings.Optimizer.sgd

    @Option(help: "How the learning rate changes.", transform: choice)
    var schedule = FineTuningSettings.Schedule.oneCycle

    @Option(
        help: ArgumentHelp("Whether batch normalizations train with the batch's statistics.", valueName: "mode"),
        transform: choice)
    var normalization = FineTuningSettings.Normalization.batch

    @Option(help: "Weight decay of matrices and kernels.")
    var weightDecay = 5e-4

    @Option(help: ArgumentHelp("Ends after so many epochs without a better score; 0 never.", valueName: "epochs"))
    var patience = 0

    @Option(help: ArgumentHelp("Another model to distil from.", valueName: "model"))
    var teacher: String?

    func validate() throws {
        if fineTune < 0 { throw ValidationError("--fine-tune must not be below 0.") }
        if let learningRate, !(learningRate > 0) { throw ValidationError("--learning-rate must be above 0.") }
        if batchSize < 1 { throw ValidationError("--batch-size must be at least 1.") }
        if !(lambda >= 0) { throw ValidationError("--lambda must not be below 0.") }
        if !(distillation >= 0 && distillation <= 1) { throw ValidationError("--distillation must be within 0 and 1.") }
        if !(temperature > 0) { throw ValidationError("--temperature must be above 0.") }
    }

    var settings: FineTuningSettings {
        var settings = FineTuningSettings()
        settings.epochs = fineTune
        settings.learningRate = learningRate
        settings.batchSize = batchSize
        settings.lambda = lambda
        settings.distillation = distillation
        settings.temperature = temperature
        settings.optimizer = optimizer
        settings.schedule = schedule
        settings.normalization = normalization
        settings.weightDecay = weightDecay
        settings.patience = patience
        return settings
    }
}

/// One of the values of an enumeration, by its name.
private func choice<Value: RawRepresentable & CaseIterable>(_ text: String) throws -> Value
where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
        throw ValidationError("'\(text)' is none of: \(Value.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    return value
}
