@testable import Execution

enum ConvolutionCases {
    private static let (m, n) = (GradientCase.m, GradientCase.n)

    static let all = [
        conv([2, 3, 5, 6], [4, 3, 3, 3], ["pads": [1, 1, 1, 1]]),
        conv(
            [2, 4, 7, 6], [6, 2, 3, 2], ["strides": [2, 1], "dilations": [1, 2], "group": 2, "pads": [1, 0, 2, 1]]),
        conv([m, 3, 9], [n, 3, 3], ["strides": [2], "auto_pad": "SAME_UPPER"]),
        conv([1, 2, 4, 3, 5], [3, 2, 2, 2, 3], ["auto_pad": "SAME_LOWER"]),
        conv([m, 3, 4, 4], [n, 3, 1, 1], [:]),
        conv([1, 3, 4, 4], [6, 1, 3, 3], ["group": 3]),
        transposed(
            [2, 3, 4, 3], [3, 4, 3, 3], ["strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]]),
        transposed([2, 4, 4], [4, 2, 3], ["strides": [3], "group": 2, "output_shape": [11]]),
        transposed([1, 2, 3, 3], [2, 3, 2, 2], ["auto_pad": "SAME_UPPER", "strides": [2, 2]]),
        transposed([1, 2, 3, 3], [2, 3, 2, 2], ["output_padding": [2, 1], "strides": [2, 2]]),
    ]

    private static func conv(_ x: [Int], _ weight: [Int], _ attributes: AttributeList) -> GradientCase {
        GradientCase("Conv", attributes, [.varied(x), .varied(weight), .varied([weight[0]])])
    }

    private static func transposed(_ x: [Int], _ weight: [Int], _ attributes: AttributeList) -> GradientCase {
        let groups = attributes.int("group", otherwise: 1)
        return GradientCase(
            "ConvTranspose", attributes, [.varied(x), .varied(weight), .varied([weight[1] * groups])])
    }
}
