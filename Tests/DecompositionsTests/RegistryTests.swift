import Decompositions
import Foundation
import Testing

@Suite struct RegistryTests {
    @Test("each file in Chains is registered under its name")
    func fileNames() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/Decompositions/Chains")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path())
            .filter { $0.hasSuffix(".swift") }
            .map { kebab(String($0.dropLast(".swift".count))) }
        #expect(files.sorted() == DecompositionRegistry.all.map(\.id).sorted())
    }

    @Test("a decomposition is found by its id, and nothing by another")
    func lookup() {
        for decomposition in DecompositionRegistry.all {
            #expect(DecompositionRegistry.named(decomposition.id)?.id == decomposition.id)
            #expect(!decomposition.summary.isEmpty)
        }
        #expect(DecompositionRegistry.named("SVD") == nil)
        #expect(Set(DecompositionRegistry.all.map(\.id)).count == DecompositionRegistry.all.count)
    }

    /// `SpatialSVD` is `spatial-svd`, `CP4` is `cp4`.
    private func kebab(_ name: String) -> String {
        var result = ""
        var previous: Character?
        for character in name {
            if character.isUppercase, previous?.isLowercase == true { result.append("-") }
            result.append(contentsOf: character.lowercased())
            previous = character
        }
        return result
    }
}
