internal import ConverterKit
internal import Foundation

/// The state of a fine-tuning between two epochs, as a file: a run that was killed goes on from it.
struct Checkpoint: Codable {
    /// What the state is of; another one is not gone on from.
    var identity: String
    var epoch: Int
    var steps: Int
    var weights: [String: Data]
    var statistics: [String: [Float]]
    var optimizer: [Data]
    var best: Best?
    var log: [FineTuningEpoch]
    static let version = 1
    var version = Checkpoint.version

    struct Best: Codable {
        var score: Double
        var epoch: Int
        var weights: [String: Data]
        var statistics: [String: [Float]]
    }

    /// `nil` when there is none, or one of another run.
    static func read(_ path: String, identity: String) -> Checkpoint? {
        guard let data = FileManager.default.contents(atPath: path),
            let checkpoint = try? PropertyListDecoder().decode(Checkpoint.self, from: data),
            checkpoint.version == version, checkpoint.identity == identity
        else { return nil }
        return checkpoint
    }

    /// Replaces the file as a whole.
    func write(_ path: String) throws(ConversionError) {
        let encoder = PropertyListEncoder()
        encoder.outputFormat = .binary
        do {
            try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ConversionError(
                "fine-tuning.checkpoint", .inputOutput, "the checkpoint \(path) is not written",
                remedy: "Make room on the disk, then start again.", cause: "\(error)")
        }
    }
}

extension Data {
    init(floats: [Float]) {
        self = unsafe floats.withUnsafeBytes { unsafe Data($0) }
    }

    var floats: [Float] {
        unsafe withUnsafeBytes { bytes in
            unsafe [Float](unsafeUninitializedCapacity: bytes.count / 4) { target, count in
                count = bytes.count / 4
                unsafe UnsafeMutableRawBufferPointer(target).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[..<(count * 4)]))
            }
        }
    }
}
