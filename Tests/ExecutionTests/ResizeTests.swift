import ConverterKit
import LinearAlgebra
import Testing

@testable import Execution

@Suite("Resizing")
struct ResizeTests {
    private static func resized(_ values: [Float], _ attributes: AttributeList, size: Int) throws -> [Float] {
        try OperatorRun.outputs(
            "Resize", version: 19, attributes,
            [TensorValue(values, shape: [values.count]), nil, nil, OperatorRun.integers([size])],
            constants: [3])[0].floats()
    }

    @Test(
        "the nearest element is chosen as the mode says",
        arguments: [
            ("round_prefer_floor", [1, 1, 2, 2]), ("round_prefer_ceil", [1, 2, 2, 2]), ("floor", [1, 1, 2, 2]),
            ("ceil", [1, 2, 2, 2]),
        ] as [(String, [Float])])
    func nearestModes(mode: String, expected: [Float]) throws {
        // Places 0, ½, 1 and 1½.
        let attributes: AttributeList = ["nearest_mode": mode, "coordinate_transformation_mode": "asymmetric"]
        #expect(try Self.resized([1, 2], attributes, size: 4) == expected)
    }

    @Test func linearInterpolationOfALineIsTheLine() throws {
        let attributes: AttributeList = ["mode": "linear", "coordinate_transformation_mode": "align_corners"]
        let result = try Self.resized([0, 1, 2, 3, 4], attributes, size: 9)
        for (index, value) in result.enumerated() { #expect(abs(value - Float(index) / 2) < 1e-6) }
    }

    @Test("weights of every mode add up to one", arguments: ["nearest", "linear", "cubic"], [3, 7, 13, 29])
    func weightsAddUp(mode: String, size: Int) throws {
        for coordinates in ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners", "half_pixel_symmetric"] {
            for antialias in [0, 1] {
                let attributes: AttributeList = [
                    "mode": mode, "coordinate_transformation_mode": coordinates, "antialias": antialias,
                ]
                let result = try Self.resized([Float](repeating: 3, count: 11), attributes, size: size)
                #expect(result.allSatisfy { abs($0 - 3) < 1e-5 }, "\(coordinates) \(result)")
            }
        }
    }

    @Test func integersAreInterpolatedAndCut() throws {
        let bytes = try TensorValue(elements: [0, 100, 201] as [UInt8], shape: [3], type: .uint8)
        let result = try OperatorRun.outputs(
            "Resize", ["mode": "linear", "coordinate_transformation_mode": "align_corners"],
            [bytes, nil, nil, OperatorRun.integers([5])], constants: [3])[0]
        #expect(try result.integers() == [0, 50, 100, 150, 201])
    }

    @Test("the policy keeps the ratio", arguments: [("not_larger", [6, 4]), ("not_smaller", [8, 5])])
    func policyKeepsTheRatio(policy: String, expected: [Int]) throws {
        let result = try OperatorRun.outputs(
            "Resize", ["keep_aspect_ratio_policy": policy],
            [OperatorRun.numbers([3, 2]), nil, nil, OperatorRun.integers([6, 5])], constants: [3])[0]
        #expect(result.shape == expected)
    }

    @Test(
        "sampling at the places of the elements gives the elements", arguments: ["nearest", "linear", "cubic"],
        [[4, 5], [2, 3, 4]])
    func samplingAtTheElements(mode: String, image: [Int]) throws {
        let rank = image.count
        var theta = [Float](repeating: 0, count: rank * (rank + 1))
        for axis in 0..<rank { theta[axis * (rank + 1) + axis] = 1 }
        for aligned in [0, 1] {
            let grid = try OperatorRun.outputs(
                "AffineGrid", version: 20, ["align_corners": aligned],
                [TensorValue(theta, shape: [1, rank, rank + 1]), OperatorRun.integers([1, 2] + image)],
                constants: [1])[0]
            let data = try OperatorRun.numbers([1, 2] + image)
            let result = try OperatorRun.outputs(
                "GridSample", version: 20, ["mode": mode, "align_corners": aligned], [data, grid])[0]
            for (a, b) in zip(try result.floats(), try data.floats()) { #expect(abs(a - b) < 1e-4) }
        }
    }

    @Test func maximaOfRegions() throws {
        let data = try TensorValue((0..<16).map { Float($0) } as [Float], shape: [1, 1, 4, 4])
        let regions = try TensorValue([0, 0, 0, 3, 3, 0, 1, 1, 2, 2] as [Float], shape: [2, 5])
        let result = try OperatorRun.outputs("MaxRoiPool", ["pooled_shape": [2, 2]], [data, regions])[0]
        #expect(try result.floats() == [5, 7, 13, 15, 5, 6, 9, 10])
    }
}
