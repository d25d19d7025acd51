import TestSupport
import Testing

/// The tables of codes are for people who look a code up: they must not lag behind.
@Suite("Documentation")
struct DocumentationTests {
    static let folder = "\(Checkout.path)/Sources/rene/Documentation.docc"
    static let families =
        "onnx|external-data|shape|graph|input|output|plugin|search|mapping|tensor|conversion|decomposition|linear-algebra|internal"
        + "|worker|work|job|batch|usage|watch|store|settings|execution|data|fine-tuning"

    private func lines(_ command: String) -> Set<String> {
        Set(Shell.run(command).output.split(separator: "\n").map(String.init))
    }

    @Test("every error code that the sources can give is explained, and no other")
    func errorCodes() {
        let used = lines(
            "cd '\(Checkout.path)' && grep -rhoE '\"(\(Self.families))\\.[a-z0-9.-]+\"' --include=*.swift Sources Plugins "
                + "| tr -d '\"' | grep -v '\\.$' | sort -u")
        let explained = lines("grep -oE '^\\| `[a-z0-9.-]+`' '\(Self.folder)/ErrorCodes.md' | tr -d '|` ' | sort -u")
        #expect(used.count > 80)
        #expect(used.subtracting(explained).sorted() == [])
        #expect(explained.subtracting(used).sorted() == [])
    }

    @Test("every reason for which a layer stays is explained, and no other")
    func reasons() {
        let file = "\(Checkout.path)/Sources/LayerMapping/Facts/KeepReason.swift"
        let used = lines(
            "sed -nE 's/^ *case ([a-zA-Z]+)( = \"([a-z-]+)\")?$/\\1 \\3/p' '\(file)' | awk '{print $NF}'")
        let explained = lines("grep -oE '^\\| `[a-z-]+`' '\(Self.folder)/Reasons.md' | tr -d '|` ' | sort -u")
        #expect(used.count > 25)
        #expect(used.symmetricDifference(explained).sorted() == [])
    }
}
