internal import ArgumentParser
internal import Conversion
internal import ConverterKit
internal import Glibc
internal import LinearAlgebra
internal import PluginHost

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the platform: BLAS, plugins, limits, permissions.")

    @Flag(help: "Print as JSON.")
    var json = false

    @Option(help: ArgumentHelp("Also check that this folder can be written to.", valueName: "dir"))
    var output: String?

    @OptionGroup var plugins: PluginOptions

    func run() throws {
        let diagnosis = Diagnosis(plugins: plugins.load(), output: output)
        if json {
            Terminal.print(try ReportEncoder.json(diagnosis))
        } else {
            for finding in diagnosis.findings {
                Terminal.print("\(finding.sound ? "ok     " : "PROBLEM") \(finding.what): \(finding.value)")
                if let remedy = finding.remedy { Terminal.print("        remedy: \(remedy)") }
            }
        }
        if !diagnosis.findings.allSatisfy(\.sound) { throw ExitCode(78) }
    }
}

/// What `rene doctor` finds.
struct Diagnosis: Encodable {
    struct Finding: Encodable {
        var what: String
        var value: String
        var sound: Bool
        var remedy: String?
    }

    var findings: [Finding] = []

    init(plugins: PluginRegistry, output: String?) {
        add("version", "rene \(Version.current)")
        add("cores", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))")
        add("memory", "\((Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))) >> 20) MiB")
        checkBLAS()
        checkPlugins(plugins)
        checkLimit("max_user_watches", at: "/proc/sys/fs/inotify/max_user_watches", atLeast: 8192)
        checkLimit("max_user_instances", at: "/proc/sys/fs/inotify/max_user_instances", atLeast: 16)
        if let output { checkWritable(output) }
    }

    private mutating func add(_ what: String, _ value: String, sound: Bool = true, remedy: String? = nil) {
        findings.append(Finding(what: what, value: value, sound: sound, remedy: sound ? nil : remedy))
    }

    private mutating func checkBLAS() {
        BLAS.prepare()
        let slow = ["Prescott", "Core2", "Nehalem", "Generic"].contains { BLAS.kernelName.hasPrefix($0) }
        add(
            "BLAS", "\(BLAS.version), kernel \(BLAS.kernelName), \(BLAS.threads) threads", sound: !slow,
            remedy: "Unset OPENBLAS_CORETYPE, or set it to Haswell or SkylakeX if the processor has AVX2 or AVX-512.")
    }

    private mutating func checkPlugins(_ plugins: PluginRegistry) {
        add("plugin folders", plugins.folders.joined(separator: ", "))
        let names = plugins.plugins.map { "\($0.name) \($0.version)" }
        add(
            "plugins", names.isEmpty ? "none" : names.joined(separator: ", "), sound: !names.isEmpty,
            remedy:
                "Install the plugins in lib/rene/plugins beside the program, or name their folder with --plugin-path.")
        for refusal in plugins.refusals {
            add("plugin refused", "\(refusal.message) [\(refusal.code)]", sound: false, remedy: refusal.remedy)
        }
    }

    private mutating func checkLimit(_ what: String, at path: String, atLeast least: Int) {
        guard let stream = unsafe fopen(path, "r") else { return }
        defer { unsafe fclose(stream) }
        var line = [CChar](repeating: 0, count: 64)
        guard unsafe fgets(&line, Int32(line.count), stream) != nil else { return }
        let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        add(
            "inotify \(what)", text, sound: (Int(text) ?? 0) >= least,
            remedy: "sysctl fs.inotify.\(what)=\(least * 8)")
    }

    private mutating func checkWritable(_ folder: String) {
        add(
            "output folder", folder, sound: unsafe access(folder, W_OK | X_OK) == 0,
            remedy: "Make the folder and give yourself write permission.")
    }
}
