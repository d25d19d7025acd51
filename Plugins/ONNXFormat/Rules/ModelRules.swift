internal import ConverterKit

/// The rules of the format that hold between the parts of a model. What is legal passes, however unusual; operators
/// themselves are not judged, so that a model newer than this program is not refused.
struct ModelRules {
    var limits: ImportLimits

    func check(_ model: Model) throws(ConversionError) {
        try VersionRules.check(model)
        try FunctionRules(limits: limits).check(model)
        try GraphRules.check(model.graph)
        for function in model.functions { try GraphRules.check(function) }
    }
}

/// Versions of the format and of the operators.
enum VersionRules {
    /// Versions of ONNX's own domains count up by one; a number beyond this is damage.
    private static let largestStandardVersion: Int64 = 1000

    static func check(_ model: Model) throws(ConversionError) {
        guard let version = model.irVersion else {
            throw InputFault.bad("onnx.ir-version.missing", "the model states no IR version")
        }
        guard version > 0 else {
            throw InputFault.bad("onnx.ir-version.invalid", "the model states the IR version \(version)")
        }
        // Before version 3 there were no operator sets to import.
        guard version < 3 || !model.operatorSets.isEmpty else {
            throw InputFault.bad("onnx.operator-sets.missing", "the model imports no operator set")
        }
        var domains: Set<String> = []
        for set in model.operatorSets + model.functions.flatMap(\.operatorSets) {
            let domain = set.domain ?? ""
            let isStandard = domain.isEmpty || domain == "ai.onnx" || domain.hasPrefix("ai.onnx.")
            guard let version = set.version, version > 0, !isStandard || version <= largestStandardVersion else {
                throw InputFault.bad(
                    "onnx.operator-sets.invalid-version",
                    "the operator set \(domain.debugDescription) has the version \(set.version.map(String.init) ?? "none")"
                )
            }
        }
        for set in model.operatorSets where !domains.insert(FunctionKey.normal(set.domain)).inserted {
            throw InputFault.bad(
                "onnx.operator-sets.duplicate",
                "the operator set \((set.domain ?? "").debugDescription) is imported twice")
        }
    }
}
