internal import Settings

/// What `rene config check` says.
public enum SettingsReport {
    /// Every problem of the file and of the environment, one after the other, and whether the daemon would take them.
    public static func check(_ path: String) -> (text: String, isSound: Bool) {
        let problems = SettingsCheck.problems(
            path: path, environment: EnvironmentVariables.settings, vocabulary: DaemonContext.vocabulary)
        let text = problems.map(\.description).joined(separator: "\n")
        return (text, !problems.contains { $0.severity == .error })
    }

    /// The JSON Schema of settings files.
    public static var schema: String {
        SettingsSchema.text.hasSuffix("\n") ? String(SettingsSchema.text.dropLast()) : SettingsSchema.text
    }
}
