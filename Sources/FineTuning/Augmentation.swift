internal import LinearAlgebra

/// Shifts and mirrors images at random, so that a pass over the data does not show the same image twice.
struct Augmentation {
    /// How far an image is moved, in pixels of the source, and whether it is mirrored.
    struct Move {
        var down = 0
        var right = 0
        var isMirrored = false
    }

    let crop: Int
    let flips: Bool

    func moves(_ count: Int, _ generator: inout SeededGenerator) -> [Move] {
        (0..<count).map { _ in
            Move(
                down: crop > 0 ? Int.random(in: -crop...crop, using: &generator) : 0,
                right: crop > 0 ? Int.random(in: -crop...crop, using: &generator) : 0,
                isMirrored: flips && Bool.random(using: &generator))
        }
    }
}
