internal import ConverterKit

/// A real number that lies in a buffer.
protocol RealElement: Element, BinaryFloatingPoint {}

extension Float: RealElement {}
extension Double: RealElement {}

extension TensorFact {
    /// The Swift type of the elements. Throws `execution.type` for anything but real numbers.
    func realElement(_ operation: String) throws -> any RealElement.Type {
        switch type.storage {
        case .float: Float.self
        case .double: Double.self
        default: throw ExecutionError.type("\(operation) is not defined for \(type)")
        }
    }
}
