internal import Decompositions

/// An upper estimate of what the numerics of a layer take.
enum MemoryNeed {
    /// Bytes: the weight twice in single precision, and the Gram matrix of its smaller side with its eigenvectors and
    /// workspace in double precision.
    static func bytes(for shape: LayerShape) -> Int {
        let rows = shape.outChannelsPerGroup
        let columns = shape.inChannelsPerGroup * shape.kernelSize
        let side = min(rows, columns)
        return 2 * 4 * shape.weightCount + 4 * 8 * side * side
    }

    /// Bytes of the bases that an analysis may keep for the factors: those of every decomposition together.
    static func basisBytes(for shape: LayerShape) -> Int {
        let rows = shape.outChannelsPerGroup
        let columns = shape.inChannelsPerGroup * shape.kernelSize
        let side = min(rows, columns)
        // A matrix has one basis; a kernel one for each decomposition and mode, none larger than its mode.
        let modes = rows * rows + shape.inChannelsPerGroup * shape.inChannelsPerGroup
        return 8 * shape.groups * (shape.kernelSize == 1 ? side * side : 2 * side * side + modes)
    }

    /// Bases beyond this are computed again instead of kept.
    static let largestBases = 1 << 30
}
