internal import ConverterKit
internal import Decompositions

/// Whether a chain can stand for a layer: a chain that does not fit would give a model that computes something else.
enum ChainCheck {
    static func check(_ chain: FactorChain, for layer: MappedLayer) throws(ConversionError) {
        let shape = layer.shape
        let links = chain.links.map(\.shape)
        func fail(_ message: String) -> ConversionError {
            ConversionError(
                "mapping.chain-mismatch", .internal, "the chain does not fit the layer: \(message)",
                remedy: "Report this; the layer can be left out with --exclude.", site: .init(node: layer.id))
        }
        guard let first = links.first, let last = links.last else { throw fail("it has no links") }
        guard first.inChannels == shape.inChannels, last.outChannels == shape.outChannels else {
            throw fail("it maps \(first.inChannels) to \(last.outChannels) channels")
        }
        for (link, next) in zip(links, links.dropFirst()) where link.outChannels != next.inChannels {
            throw fail("a link gives \(link.outChannels) channels, the next takes \(next.inChannels)")
        }
        for link in links {
            guard link.groups > 0, link.inChannels % link.groups == 0, link.outChannels % link.groups == 0,
                link.kernel.count == shape.kernel.count
            else { throw fail("a link's groups or kernel do not fit") }
            if shape.kind == .linear, link.groups != 1 || !link.axes.isEmpty { throw fail("a linear link has groups") }
            for axis in link.kernel.indices {
                let wanted = link.axes.contains(axis) ? shape.kernel[axis] : 1
                if link.kernel[axis] != wanted { throw fail("a link's kernel is \(link.kernel)") }
            }
        }
        if links.flatMap(\.axes).sorted() != Array(shape.kernel.indices) {
            throw fail("its links carry the axes \(links.flatMap(\.axes))")
        }
        for link in chain.links where !link.weight.allSatisfy(\.isFinite) {
            throw ConversionError(
                "mapping.non-finite-factor", .internal, "a factor has elements that are infinite or not a number",
                remedy: "Report this; the layer can be left out with --exclude.", site: .init(node: layer.id))
        }
    }
}
