/// Field numbers of `TensorProto` that the importer and the exporter treat apart.
enum TensorField {
    static let dimensions = 1
    static let segment = 3
    static let float = 4
    static let int32 = 5
    static let strings = 6
    static let int64 = 7
    static let raw = 9
    static let double = 10
    static let uint64 = 11
    static let externalData = 13
    static let dataLocation = 14

    /// True for the fields that hold numbers of the tensor.
    static func isPayload(_ number: Int) -> Bool {
        switch number {
        case float, int32, int64, raw, double, uint64: true
        default: false
        }
    }
}
