internal import ConverterKit
internal import Decompositions

/// The decompositions that a layer may take, from the user's `--decomposition`.
struct DecompositionChoice: Sendable {
    /// What `auto` stands for. CP is left to those who ask for it: it keeps the most accuracy at equal size, but its
    /// depthwise link makes the output slower (ResNet-20 at half its parameters: 0.54 times the speed in onnxruntime, where
    /// Tucker-2 has 1.07), and each of its ranks is a fit of its own. TT is Tucker-2 with tied ranks.
    static let automatic = ["svd", "tucker", "spatial-svd"]

    private let chosen: [any Decomposition]

    init(names: [String]) throws(ConversionError) {
        var chosen: [any Decomposition] = []
        for name in names.flatMap({ $0 == "auto" ? Self.automatic : [$0] }) {
            guard let decomposition = DecompositionRegistry.named(name) else {
                let known = DecompositionRegistry.all.map { $0.id }.joined(separator: ", ")
                throw ConversionError(
                    "decomposition.unknown", .usage, "there is no decomposition called \(name)",
                    remedy: "Use one of: auto, \(known).")
            }
            if !chosen.contains(where: { $0.id == name }) { chosen.append(decomposition) }
        }
        self.chosen = chosen
    }

    /// Linear layers and 1×1 convolutions are matrices: they take SVD whatever was asked for, as the chains of the
    /// others contain it with an extra link.
    func decompositions(for shape: LayerShape) -> [any Decomposition] {
        guard shape.kernelSize == 1 else { return chosen }
        return DecompositionRegistry.named("svd").map { [$0] } ?? []
    }
}
