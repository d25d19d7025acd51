internal import ConverterKit
internal import Execution
internal import LinearAlgebra
public import PluginHost

/// What `rene run` does: runs a model on data and writes its outputs as arrays.
public struct ModelRun: Sendable, Codable {
    public struct Output: Sendable, Codable {
        public var name: String
        /// As it is written.
        public var type: String
        public var shape: [Int]
    }

    public var model: String
    public var data: [String]
    /// The written file.
    public var output: String
    public var samples: Int
    public var outputs: [Output]
    /// Outputs that are no tensors of numbers.
    public var notWritten: [String]
    public var seconds: Double

    /// The arrays go in by batches, and the rows of the outputs are put together again. Arrays with several counts of
    /// samples are the inputs of one run as they are.
    ///
    /// Throws `data.*` for data that do not fit, `output.*` when the file cannot be written.
    public init(
        of path: String, data paths: [String], output: String, overwrite: Bool, plugins: PluginRegistry,
        options: RunOptions, progress: ProgressHandler = { _ in }
    ) throws {
        BLAS.prepare()
        progress(Progress(stage: .reading, fraction: 0))
        let importer = try plugins.importer(for: path)
        let model = try importer.importModel(at: path, limits: ImportLimits())
        let data = try LabelledData(
            paths, for: model, importer: importer, normalization: options.normalize, takesUnequal: true)
        let runner = ModelRunner(model, threads: options.threads, memoryLimit: options.memoryLimit)
        var collected: [String: Rows] = [:]
        let batches = data.batches(of: options.batchSize)
        for (index, batch) in batches.enumerated() {
            for (name, value) in try runner.tensors(of: batch, in: data) {
                try collected[name, default: Rows()].add(name, value, of: batch, isOnly: batches.count == 1)
            }
            progress(Progress(stage: .evaluating, fraction: Double(index + 1) / Double(batches.count)))
        }
        var writer = NumpyWriter()
        outputs = []
        notWritten = []
        for name in runner.outputNames where !(outputs.contains { $0.name == name } || notWritten.contains(name)) {
            guard let rows = collected[name] else {
                notWritten.append(name)
                continue
            }
            writer.add(name, type: rows.type, shape: rows.shape, elements: rows.elements)
            outputs.append(Output(name: name, type: "\(rows.type)", shape: rows.shape))
        }
        try writer.write(to: output, replacing: overwrite)
        (self.model, self.data, self.output) = (path, paths, output)
        (samples, seconds) = (data.count, runner.seconds)
    }

    /// The rows of an output, batch after batch.
    private struct Rows {
        var type = ElementType.float32
        var shape: [Int] = []
        var elements: [UInt8] = []

        mutating func add(_ name: String, _ value: TensorValue, of batch: LabelledData.Batch, isOnly: Bool) throws {
            let isFirst = batch.range.lowerBound == 0
            var bytes = try value.numpyElements()
            var extents = value.shape
            if batch.isFilled, let rows = extents.first, rows > batch.range.count {
                bytes.removeLast(bytes.count / rows * (rows - batch.range.count))
                extents[0] = batch.range.count
            }
            if isFirst { (type, shape) = (value.type.numpyType, extents) }
            if !isFirst || !isOnly {
                guard let rows = extents.first, batch.isWhole || rows == batch.range.count,
                    isFirst || extents.dropFirst() == shape.dropFirst()
                else {
                    throw DataError.shape(
                        "the output \(name) has the shape \(extents) for \(batch.range.count) samples: "
                            + "it has no row for each, and batches of it cannot be put together")
                }
                if !isFirst { shape[0] += rows }
            }
            elements += bytes
        }
    }

    /// The outputs for people.
    public var text: String {
        let rows = outputs.map { output in
            ReportText.padded(output.name, 24) + ReportText.padded(output.type, 10)
                + output.shape.map(String.init).joined(separator: "x")
        }
        let rest = notWritten.map { ReportText.padded($0, 24) + "not written: no tensor of numbers" }
        return (rows + rest + ["\(samples) samples in \(ReportText.decimal(seconds, 3)) s -> \(output)"])
            .joined(separator: "\n")
    }
}
