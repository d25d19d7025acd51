internal import CKernels
internal import ConverterKit

/// The layout in which sixteen images are the lanes of a vector: `[N, C, H, W]` becomes `[⌈N/16⌉, C, H, W, 16]`, so that
/// every pixel of a channel is a cache line of its own and no kernel has edges within a vector.
///
/// What follows the batch stays where it was: operators along the axes 1, 2 and 3 need not know of it.
enum LaneLayout {
    static let lanes = 16

    static func shape(_ shape: [Int]) -> [Int] { [(shape[0] + lanes - 1) / lanes] + shape[1...] + [lanes] }

    static let operators = [toLanes, fromLanes]

    /// Lanes beyond the last image are zero.
    static let toLanes = Operator("ToLanes", domain: "rene") { preparation in
        let fact = try preparation.fact(0)
        guard fact.type == .float32, fact.shape.count >= 2 else {
            throw ExecutionError.type("only images of single precision are laid out in lanes")
        }
        let (images, channels) = (fact.shape[0], fact.shape[1])
        let plane = fact.shape[2...].reduce(1, *)
        return Prepared([TensorFact(type: .float32, shape: shape(fact.shape))]) { arguments in
            arguments.pool.forEach((images + lanes - 1) / lanes * channels) { index in
                let (block, channel) = index.quotientAndRemainder(dividingBy: channels)
                unsafe rene_to_lanes(
                    arguments.output(0, Float.self) + index * plane * lanes,
                    arguments.input(0, Float.self) + (block * lanes * channels + channel) * plane, channels * plane,
                    Int32(min(lanes, images - block * lanes)), plane)
            }
        }
    }

    /// `images`: how many of the lanes are there.
    static let fromLanes = Operator("FromLanes", domain: "rene") { preparation in
        let fact = try preparation.fact(0)
        let images = preparation.attributes.int("images", otherwise: 0)
        guard fact.type == .float32, fact.shape.count >= 3, fact.shape.last == lanes,
            (images + lanes - 1) / lanes == fact.shape[0]
        else { throw ExecutionError.shape("\(fact.shape) does not hold \(images) images in lanes") }
        let channels = fact.shape[1]
        let spatial = Array(fact.shape[2...].dropLast())
        let plane = spatial.reduce(1, *)
        return Prepared([TensorFact(type: .float32, shape: [images, channels] + spatial)]) { arguments in
            arguments.pool.forEach(fact.shape[0] * channels) { index in
                let (block, channel) = index.quotientAndRemainder(dividingBy: channels)
                unsafe rene_from_lanes(
                    arguments.output(0, Float.self) + (block * lanes * channels + channel) * plane,
                    arguments.input(0, Float.self) + index * plane * lanes, channels * plane,
                    Int32(min(lanes, images - block * lanes)), plane)
            }
        }
    }
}
