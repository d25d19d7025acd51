import FoundationEssentials
import TestSupport
import Testing

/// The commands that run models, on the samples that come with the program.
@Suite("Commands with data")
struct DataTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private struct Evaluated: Decodable {
        var top1, loss, imagesPerSecond: Double
        var samples, correct: Int
        var scores: String
    }

    private struct Report: Decodable {
        struct Data: Decodable {
            var tier: String
            var samples: Int
        }
        struct Verification: Decodable {
            struct Bound: Decodable {
                var kind: String
                var value: Double
                var rounds: Int
            }
            var executed: Bool
            var notExecuted: String?
            var inputs: String?
            var relativeOutputError, top1Before, top1After, agreement: Double?
            var bound: Bound?
        }
        struct Reduction: Decodable { var parameters: Double }
        var data: Data
        var verification: Verification
        var reduction: Reduction
        var notes: [String]
    }

    private func run<Value: Decodable>(_ arguments: String, as _: Value.Type) throws -> Value {
        let (output, status) = Shell.run("'\(Program.path)' \(arguments) 2>'\(folder.path)/errors'")
        let errors = String(decoding: try folder.read("errors"), as: UTF8.self)
        try #require(status == 0, "\(arguments): \(errors)")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Value.self, from: Data(output.utf8))
    }

    @Test("evaluate gives the figures that the samples' table states", arguments: [("cnn", 99.63), ("vit", 97.59)])
    func evaluate(_ name: String, _ top1: Double) throws {
        let found = try run("evaluate sample:\(name) --data sample:digits --json --batch-size 77", as: Evaluated.self)
        #expect(found.samples == 540 && abs(found.top1 - top1) < 0.01, "\(found.top1)")
        #expect(found.scores == "logits" && found.loss > 0 && found.loss < 1 && found.imagesPerSecond > 0)
    }

    @Test("compare finds no difference of a model from itself, with data and without")
    func compare() throws {
        struct Difference: Decodable {
            var relativeError: Double
            var agreement: Double?
            var samples: Int
        }
        for data in ["", "--data sample:digits"] {
            let found = try run("compare sample:cnn sample:cnn --json \(data)", as: Difference.self)
            #expect(found.relativeError == 0 && found.agreement == 100 && found.samples > 0)
        }
    }

    @Test("run writes the outputs of all samples, whatever the size of the batches")
    func outputs() throws {
        struct Ran: Decodable {
            struct Output: Decodable {
                var name, type: String
                var shape: [Int]
            }
            var samples: Int
            var outputs: [Output]
        }
        let file = folder.path + "/out.npz"
        let found = try run("run sample:cnn --data sample:digits -o '\(file)' --json --batch-size 77", as: Ran.self)
        #expect(found.samples == 540 && found.outputs.count == 1)
        #expect(found.outputs[0].type == "float32" && found.outputs[0].shape == [540, 10])
        #expect(Array(try folder.read("out.npz").prefix(2)) == Array("PK".utf8))
        let again = Shell.run("'\(Program.path)' run sample:cnn --data sample:digits -o '\(file)' 2>&1")
        #expect(again.status == 73 && again.output.contains("[output.exists]"), "\(again.output)")
    }

    @Test("with labels the drop of top-1 is bounded, and reported as measured")
    func labelled() throws {
        let report = try run("convert sample:cnn -o '\(folder.path)/out' --data sample:digits --json", as: Report.self)
        #expect(report.data.tier == "labelled" && report.data.samples == 540)
        let verification = report.verification
        #expect(verification.executed && verification.bound?.kind == "top1-drop" && verification.bound?.value == 1)
        let before = try #require(verification.top1Before)
        let after = try #require(verification.top1After)
        #expect(abs(before - 99.63) < 0.01 && before - after <= 1.000001)
        #expect(report.reduction.parameters > 0.2)
        let found = try run(
            "evaluate '\(folder.path)/out/cnn.onnx' --data sample:digits --json", as: Evaluated.self)
        #expect(abs(found.top1 - after) < 0.01, "the file gives what the report says")
    }

    @Test("--max-error bounds the outputs, on data and on drawn inputs", arguments: ["", "--data sample:digits"])
    func outputError(_ data: String) throws {
        let report = try run(
            "convert sample:vit -o '\(folder.path)/out' --max-error 0.05 \(data) --json", as: Report.self)
        #expect(report.verification.executed && report.verification.bound?.kind == "outputs")
        #expect(report.verification.inputs == (data.isEmpty ? "drawn" : "data"))
        #expect(try #require(report.verification.relativeOutputError) <= 0.05)
    }

    @Test("a model with an operator that is not known is converted from its weights, and the report says so")
    func notExecuted() throws {
        let path = try folder.write("odd.onnx", GeneratedModel.small(seed: 1, domain: "my.operators"))
        let report = try run("convert '\(path)' -o '\(folder.path)/out' --json", as: Report.self)
        #expect(!report.verification.executed && report.verification.notExecuted != nil)
        #expect(report.verification.bound?.kind == "weights")
    }

    @Test("an archive beside a dropped model is its data")
    func dropped() throws {
        let root = try WatchedRoot()
        let samples = Checkout.path + "/Sources/rene/Samples"
        _ = Shell.run("cp '\(samples)/digits-test.npz' '\(root.path)/inbox/m.npz'")
        _ = Shell.run("cp '\(samples)/cnn.onnx' '\(root.path)/inbox/m.onnx'")
        #expect(try root.start("--once").wait(seconds: 300) == 0, "\(root.log)")
        #expect(root.isPublished("m") && root.files("done") == ["m.npz", "m.onnx"], "\(root.log)")
        let text = Shell.run("cat '\(root.path)/outbox/m.report.json'").output
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let report = try decoder.decode(Report.self, from: Data(text.utf8))
        #expect(report.data.tier == "labelled" && report.verification.bound?.kind == "top1-drop")
    }

    @Test("bad data end with a stable code, the status of the kind of error, and no output")
    func badData() throws {
        let text = try folder.write("text.npz", Array("hello".utf8))
        let wrong = try folder.write(
            "wrong.npz",
            NumpyBuilder.npz([("z", NumpyBuilder.npy("'|u1'", [1, 1, 8, 8], [UInt8](repeating: 0, count: 64)))]))
        let small = try folder.write(
            "small.npz",
            NumpyBuilder.npz([("x", NumpyBuilder.npy("'|u1'", [1, 1, 7, 8], [UInt8](repeating: 0, count: 56)))]))
        let plain = try folder.write(
            "plain.npz",
            NumpyBuilder.npz([("x", NumpyBuilder.npy("'|u1'", [1, 1, 8, 8], [UInt8](repeating: 0, count: 64)))]))
        let cases: [(String, String, Int32)] = [
            ("evaluate sample:cnn --data '\(folder.path)/none.npz'", "data.missing", 66),
            ("evaluate sample:cnn --data '\(text)'", "data.format", 65),
            ("evaluate sample:cnn --data '\(wrong)'", "data.names", 65),
            ("evaluate sample:cnn --data '\(small)'", "data.shape", 65),
            ("evaluate sample:cnn --data '\(plain)'", "data.labels", 65),
            ("evaluate sample:cnn --data sample:digits --normalize mean=1,2,std=1", "data.normalization", 65),
            ("convert sample:cnn -o '\(folder.path)/out' --data '\(wrong)'", "data.names", 65),
            ("convert sample:cnn -o '\(folder.path)/out' --data '\(plain)' --max-drop 1", "data.labels", 65),
            ("convert sample:cnn -o '\(folder.path)/out' --max-drop 1", "--max-drop", 64),
            ("evaluate sample:cnn", "--data", 64),
        ]
        for (arguments, code, status) in cases {
            let (output, ended) = Program.run(arguments)
            #expect(ended == status && output.contains(code), "\(arguments): \(ended) \(output)")
        }
        #expect(!folder.entries.contains("out"))
    }
}
