/// One heartbeat: a JSON line on descriptor 3 of the worker.
public struct Beat: Codable, Sendable, Hashable {
    /// Name of the stage; empty before the first.
    public var stage: String
    /// Share of the stage that is done, 0…1.
    public var fraction: Double
    /// What the worker is at, such as a layer's name.
    public var detail: String
    /// Bytes of private writable memory in use, as `RLIMIT_DATA` counts them.
    public var memory: Int

    public init(stage: String = "", fraction: Double = 0, detail: String = "", memory: Int = 0) {
        self.stage = stage
        self.fraction = fraction
        self.detail = detail
        self.memory = memory
    }

    /// Longest line that is read; a longer one is skipped.
    static let lineLimit = 4096
    /// Longest detail that is sent, in UTF-8 bytes before escaping (which makes at most six of one).
    static let detailLimit = 512

    /// The line, with its end; `nil` if the fraction is no number.
    var line: [UInt8]? {
        var beat = self
        while beat.detail.utf8.count > Self.detailLimit { beat.detail.removeLast() }
        return try? JSONText.encode(beat)
    }

    /// `nil` if the line is not a heartbeat.
    init?(line: [UInt8]) {
        guard let beat = JSONText.decode(Self.self, from: line), beat.fraction.isFinite, beat.stage.utf8.count <= 64,
            beat.memory >= 0
        else { return nil }
        self = beat
        fraction = min(max(fraction, 0), 1)
    }
}
