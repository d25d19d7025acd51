internal import ConverterKit

/// NonMaxSuppression: the best boxes that do not overlap too much.
enum NonMaxSuppressionOperators {
    static let all = [nonMaxSuppression]

    /// Of each image and class the boxes by falling score, without those whose intersection over union with a better one
    /// exceeds the threshold: rows of image, class and box.
    static let nonMaxSuppression = Operator(evaluating: "NonMaxSuppression") { call in
        let (boxes, scores) = (try call.tensor(0), try call.tensor(1))
        guard boxes.shape.count == 3, scores.shape.count == 3, boxes.shape[2] == 4,
            boxes.shape[0] == scores.shape[0], boxes.shape[1] == scores.shape[2]
        else { throw ExecutionError.shape("boxes \(boxes.shape) with scores \(scores.shape)") }
        let most = try call.optionalTensor(2)?.integers().first ?? 0
        let overlap = try call.optionalTensor(3)?.floats().first ?? 0
        let threshold = try call.optionalTensor(4)?.floats().first
        let isCentered = call.attributes.flag("center_point_box")
        let count = boxes.shape[1]
        let corners = try boxes.floats()
        let rectangles = (0..<corners.count / 4).map {
            Rectangle(Array(corners[(4 * $0)..<(4 * $0 + 4)]), isCentered: isCentered)
        }
        let values = try scores.floats()
        var rows: [Int64] = []
        for image in 0..<boxes.shape[0] {
            for category in 0..<scores.shape[1] {
                let offset = (image * scores.shape[1] + category) * count
                let candidates = (0..<count).filter { index in threshold.map { values[offset + index] > $0 } ?? true }
                    .sorted {
                        values[offset + $0] == values[offset + $1] ? $0 < $1 : values[offset + $0] > values[offset + $1]
                    }
                var chosen: [Int] = []
                for index in candidates {
                    if chosen.count >= most { break }
                    let box = rectangles[image * count + index]
                    if chosen.contains(where: { box.overlap(rectangles[image * count + $0]) > overlap }) { continue }
                    chosen.append(index)
                    rows += [Int64(image), Int64(category), Int64(index)]
                }
            }
        }
        return [.tensor(try TensorValue(rows, shape: [rows.count / 3, 3]))]
    }

    private struct Rectangle {
        var (left, top, right, bottom): (Float, Float, Float, Float)

        /// Of y₁, x₁, y₂, x₂ in any order, or x, y, width, height of a centred one.
        init(_ numbers: [Float], isCentered: Bool) {
            if isCentered {
                (left, right) = (numbers[0] - numbers[2] / 2, numbers[0] + numbers[2] / 2)
                (top, bottom) = (numbers[1] - numbers[3] / 2, numbers[1] + numbers[3] / 2)
            } else {
                (left, right) = (min(numbers[1], numbers[3]), max(numbers[1], numbers[3]))
                (top, bottom) = (min(numbers[0], numbers[2]), max(numbers[0], numbers[2]))
            }
        }

        var area: Float { (right - left) * (bottom - top) }

        /// Intersection over union.
        func overlap(_ other: Rectangle) -> Float {
            let width = min(right, other.right) - max(left, other.left)
            let height = min(bottom, other.bottom) - max(top, other.top)
            guard width > 0, height > 0, area > 0, other.area > 0 else { return -1 }
            let common = width * height
            let union = area + other.area - common
            return union > 0 ? common / union : -1
        }
    }
}
