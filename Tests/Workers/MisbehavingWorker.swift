internal import ConverterKit
internal import Daemon
internal import Glibc

/// A worker that does what its job tells it to, for the tests of the supervision: `misbehaving-worker JOBFILE`.
@main
enum MisbehavingWorker {
    struct Settings: Codable, Sendable {
        var behaviour: String
        var amount: Int
    }

    struct Result: Codable, Sendable {
        var memoryLimit: Int
        var isGroupLeader: Bool
        var adjustment: String
        var descriptors: [Int32]
    }

    static func main() async {
        let status = await WorkerMain.run(jobFile: CommandLine.arguments.last ?? "") {
            (job: WorkerJob<Settings>, report) in
            report("reading", 0, job.source)
            try misbehave(job.settings, output: job.output, report)
            return surroundings()
        }
        exit(status)
    }

    static func misbehave(
        _ settings: Settings, output: String, _ report: WorkerMain.ProgressReport
    ) throws(ConversionError) {
        switch settings.behaviour {
        case "succeed": report("searching", 0.5, "conv1")
        case "refuse":
            throw ConversionError(
                "onnx.bad-shape", .badInput, "the shape of \"w\"\nis wrong", remedy: "Export the model again.",
                site: .init(file: "model.onnx", node: "conv1", offset: 42), cause: "dims = [-1]")
        case "trap":
            let numbers = [settings.amount]
            print(numbers[settings.amount])
        case "allocate":
            // Touches what it takes, a block at a time.
            var blocks: [[UInt8]] = []
            for index in 0..<settings.amount {
                blocks.append([UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 16 << 20))
            }
            print(blocks.count)
        case "spin":
            while getppid() >= 0 {}
        case "write":
            let descriptor = unsafe open(output, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            let block = [UInt8](repeating: 0, count: 1 << 16)
            for _ in 0..<settings.amount { _ = unsafe write(descriptor, block, block.count) }
        case "sleep":
            report("factorizing", 0, "conv1")
            sleep(UInt32(settings.amount))
        case "chatter":
            // More progress than anybody wants, with details longer than a line.
            let detail = String(repeating: "\u{1}", count: 10_000)
            let end = SuspendingClock.now + .milliseconds(settings.amount)
            var count = 0
            while SuspendingClock.now < end {
                count += 1
                report("searching", Double(count) / 1e9, detail)
            }
        default:
            throw ConversionError(
                "test.unknown", .usage, "unknown behaviour \(settings.behaviour)", remedy: "Correct the test.")
        }
    }

    static func surroundings() -> Result {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
        var adjustment = [UInt8](repeating: 0, count: 16)
        let file = unsafe open("/proc/self/oom_score_adj", O_RDONLY)
        let count = unsafe read(file, &adjustment, adjustment.count)
        close(file)
        return Result(
            memoryLimit: Int(clamping: limit.rlim_cur), isGroupLeader: getpgrp() == getpid(),
            adjustment: String(decoding: adjustment.prefix(max(0, count)).filter { $0 > 32 }, as: UTF8.self),
            descriptors: (0..<64).filter { fcntl($0, F_GETFD) >= 0 })
    }
}
