import Foundation
import RankSearch
import Testing

@Suite struct SearchRegistryTests {
    @Test func idsAreUniqueAndFound() {
        let ids = SearchRegistry.all.map(\.id)
        #expect(ids == ["rene", "knapsack", "uniform", "energy"])
        for id in ids { #expect(SearchRegistry.named(id)?.id == id) }
        #expect(SearchRegistry.named("no-such-search") == nil)
        for strategy in SearchRegistry.all { #expect(!strategy.summary.isEmpty) }
    }

    @Test(arguments: SearchRegistry.all.map(\.id)) func eachStrategyIsInTheFileNamedAfterItsId(_ id: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let name = id.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        let file = root.appending(path: "Sources/RankSearch/\(name).swift")
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains("let id = \"\(id)\""))
    }
}
