import ConverterKit
import Testing

@testable import Execution

@Suite("Models of ai.onnx.ml")
struct LearningTests {
    /// x₀ ≤ 1 votes 1 for target 0, else x₁ < 0 votes 2, else 3 and 4 for target 1.
    private func trees(_ more: AttributeList) -> AttributeList {
        var attributes: AttributeList = [
            "nodes_treeids": [0, 0, 0, 0, 0], "nodes_nodeids": [0, 1, 2, 3, 4],
            "nodes_modes": ["BRANCH_LEQ", "LEAF", "BRANCH_LT", "LEAF", "LEAF"],
            "nodes_featureids": [0, 0, 1, 0, 0], "nodes_values": [Float(1), 0, 0, 0, 0],
            "nodes_truenodeids": [1, 0, 3, 0, 0], "nodes_falsenodeids": [2, 0, 4, 0, 0],
            "target_treeids": [0, 0, 0, 0], "target_nodeids": [1, 3, 4, 4], "target_ids": [0, 0, 0, 1],
            "target_weights": [Float(1), 2, 3, 4], "n_targets": 2,
        ]
        for attribute in more.values {
            attributes.values.removeAll { $0.name == attribute.name }
            attributes.values.append(attribute)
        }
        return attributes
    }

    @Test func aRowGoesToTheLeafOfItsFeatures() throws {
        let results = try SingleOperator.run(
            "TreeEnsembleRegressor", domain: "ai.onnx.ml", trees([:]),
            [.floats([1, 9, 2, -1, 2, 0], [3, 2])], version: 3)
        #expect(try results[0].tensor().floats() == [1, 0, 2, 0, 3, 4])
    }

    @Test func aTreeInACircleIsRefused() throws {
        #expect(throws: ConversionError.self) {
            try SingleOperator.run(
                "TreeEnsembleRegressor", domain: "ai.onnx.ml", trees(["nodes_falsenodeids": [0, 0, 4, 0, 0]]),
                [.floats([2, 0], [1, 2])], version: 3)
        }
    }

    @Test func aFeatureThatThereIsNotIsRefused() throws {
        #expect(throws: ConversionError.self) {
            try SingleOperator.run(
                "TreeEnsembleRegressor", domain: "ai.onnx.ml", trees([:]), [.floats([2], [1, 1])], version: 3)
        }
    }

    @Test func labelsAreExchanged() throws {
        let results = try SingleOperator.run(
            "LabelEncoder", domain: "ai.onnx.ml",
            ["keys_strings": ["a", "b"], "values_int64s": [7, 8], "default_int64": -3],
            [.tensor(TensorValue(strings: ["b", "c", "a"], shape: [3]))], version: 2)
        #expect(try results[0].tensor().integers() == [8, -3, 7])
    }

    @Test func stringsAreSplitWithTheRestFilledUp() throws {
        let results = try SingleOperator.run(
            "StringSplit", ["delimiter": "-"], [.tensor(TensorValue(strings: ["a-b-c", "d", ""], shape: [3]))],
            outputs: 2)
        #expect(try results[0].tensor().strings == ["a", "b", "c", "d", "", "", "", "", ""])
        #expect(try results[1].tensor().integers() == [3, 1, 1])
    }
}
