public import Conversion
internal import ConverterKit
internal import Settings

/// `rene worker JOBFILE`: the process that reads models.
public enum ConversionWorker {
    /// Runs the job and returns the exit status.
    public static func run(jobFile: String, by jobs: ModelJobs) async -> Int32 {
        await WorkerMain.run(jobFile: jobFile) { (job: WorkerJob<ModelJob>, report) in
            var task = job.settings
            if let sidecar = task.sidecar {
                task.conversion = try settings(of: sidecar, over: task.conversion)
            }
            // What lies beside the model is meant for it, more than what its folder's settings name.
            if let data = task.data { task.conversion.data = [data] }
            return try await jobs.run(task, source: job.source, output: job.output) { progress in
                report(progress.stage.rawValue, progress.fraction, progress.detail)
            }
        }
    }

    /// The settings that came with a model, over those of its folder. Read here and not in the daemon, since whoever
    /// drops models writes them.
    private static func settings(
        of sidecar: String, over base: ConversionSettings
    ) throws(ConversionError) -> ConversionSettings {
        var settings = DaemonSettings()
        settings.conversion = base
        settings.threads = base.threads
        return settings.job(in: [], sidecar: try SettingsFile.load(path: sidecar, role: .sidecar)).conversion
    }
}
