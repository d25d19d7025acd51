import ConverterKit

struct TextImporter: ModelImporter {
    static let format = textFormat

    func importModel(at path: String, limits: ImportLimits) throws(ConversionError) -> Model {
        let file = try OpenFile(path: path)
        guard file.size <= limits.skeletonBytes else {
            throw ConversionError(
                "text-graph.too-large", .badInput, "\(path) has \(file.size) bytes",
                remedy: "Split the model.", site: .init(file: path))
        }
        let bytes = try ByteSource(file: file, offset: 0, count: file.size).bytes()
        var graph = Graph(name: "main")
        for (index, line) in String(decoding: bytes, as: UTF8.self).split(separator: "\n").enumerated() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 3, words[1] == "=" else {
                throw ConversionError(
                    "text-graph.syntax", .badInput, "line \(index + 1) is not 'NAME = OPERATION INPUT …'",
                    remedy: "Correct the line.", site: .init(file: path, offset: index + 1))
            }
            graph.nodes.append(
                Node(name: words[0], operation: words[2], inputs: Array(words[3...]), outputs: [words[0]]))
        }
        return Model(format: Self.format.name, path: path, graph: graph)
    }
}
