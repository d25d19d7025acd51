/// A setting that a reload changes.
public struct SettingsChange: Sendable, Hashable {
    public var key: String
    /// The values as JSON.
    public var before: String
    public var after: String
    /// Whether the daemon goes on with the old value until it is started again.
    public var needsRestart: Bool
}

extension DaemonSettings {
    /// What changes from these settings to `new`, in the order of the keys.
    public func changes(to new: DaemonSettings) -> [SettingsChange] {
        SettingKey.all.compactMap { key in
            let (before, after) = (key.show(self), key.show(new))
            guard before != after else { return nil }
            return SettingsChange(
                key: key.name, before: before.line, after: after.line, needsRestart: key.reload == .restart)
        }
    }
}
