internal import CONNX
internal import ConverterKit

/// Sparse initializers are kept as bytes; only their names take part in the rules.
enum SparseNames {
    /// The names that the sparse initializers of `graph` define.
    static func names(in graph: Graph) throws(ConversionError) -> [String] {
        guard !graph.unmodelled.isEmpty else { return [] }
        return try unsafe MessageParts.withUnpacked(
            graph.unmodelled, onnx__graph_proto__unpack, onnx__graph_proto__free_unpacked
        ) { kept in
            unsafe (0..<kept.n_sparse_initializer).compactMap { index in
                unsafe Text.string(kept.sparse_initializer[index]?.pointee.values?.pointee.name)
            }
        }
    }
}
