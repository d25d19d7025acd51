internal import ConverterKit
internal import Glibc
internal import JobStore
internal import WatchFolder

/// The link between a job's row and its folder: the row's location is `.work/NAME`, `NAME` being the claim's job name.
enum JobClaim {
    private static let prefix = ".work/"

    /// A name for the folder of a job that has no row yet. Unique on one machine and, by its random part, beyond.
    static func newName() -> String {
        var generator = SystemRandomNumberGenerator()
        let number = UInt64(bitPattern: Timestamp.now.milliseconds) << 20 | generator.next() & 0xf_ffff
        return "j" + String(number, radix: 36)
    }

    static func location(_ name: String) -> JobPath { JobPath(prefix + name) }

    /// The name in a location; `nil` when the files are elsewhere.
    static func name(_ location: JobPath?) -> String? {
        guard let location, location.bytes.starts(with: prefix.utf8) else { return nil }
        return String(validating: location.bytes.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    /// The stamp of a job that has ended, the same at each attempt to bring its files to their place.
    static func stamp(of job: Job) -> String {
        let time = (job.finished ?? job.updated).description.prefix { $0 != "." }
        return time.filter { $0 != "-" && $0 != ":" } + "Z-\(job.id)"
    }

    static func path(_ set: ModelSet) -> JobPath { JobPath(bytes: set.model.path.bytes) }
    static func path(_ claim: Claim) -> JobPath { JobPath(bytes: claim.folder.appending(claim.model).bytes) }

    /// A path below the root.
    static func relative(_ path: BytePath, to layout: WatchLayout) -> JobPath {
        JobPath(
            bytes: path.isWithin(layout.root) ? Array(path.bytes.dropFirst(layout.root.bytes.count + 1)) : path.bytes)
    }

    /// The path as text for the worker. Throws for a name that is not UTF-8, which no format of model data can refer to.
    static func text(_ path: BytePath) throws(ConversionError) -> String {
        guard let text = String(validating: path.bytes, as: UTF8.self) else {
            throw ConversionError(
                "input.name-not-utf8", .badInput, "the name \(path.name) is not UTF-8",
                remedy: "Rename the file.", site: .init(file: path.description))
        }
        return text
    }
}

extension Claim {
    /// Bytes of the model with its data files.
    var modelBytes: Int { members.filter { $0.role != .sidecar }.reduce(0) { $0 + $1.status.size } }

    /// The settings that came with the model.
    var sidecar: BytePath? {
        members.first { $0.role == .sidecar && $0.path.bytes.suffix(5).elementsEqual(".yaml".utf8) }?.path
    }

    /// The data that came with the model.
    var data: BytePath? {
        members.first { $0.role == .sidecar && $0.path.bytes.suffix(4).elementsEqual(".npz".utf8) }?.path
    }
}

extension ConversionError {
    /// The same in the words of this program's other errors.
    init(_ error: WatchError) {
        let kind: Kind = error.disposition == .configuration ? .configuration : .temporary
        let full = error.number == ENOSPC || error.number == EDQUOT
        self.init(
            .init(full ? "work.no-space" : error.code), kind, error.message, remedy: error.remedy,
            site: .init(file: error.path?.description), cause: error.cause)
    }
}

extension JobFailure {
    init(_ error: ConversionError) {
        let site = error.site.description
        self.init(
            code: error.code.name, message: error.message + (error.cause.map { ": \($0)" } ?? ""), remedy: error.remedy,
            site: site.isEmpty ? nil : site, exitStatus: error.kind.exitStatus)
    }
}
