/// An operation between a stored weight and the node that uses it which only changes how the weight is looked at.
enum WeightView: Sendable, Hashable {
    case identity
    case transpose([Int])
    case reshape([Int])
    /// To the element type of this number.
    case cast(Int32)
}
