import ConverterKit
import Testing

@testable import Conversion

@Suite("Normalization")
struct NormalizationTests {
    @Test("the text of the option is read, with quotients, and written so that it is read again")
    func parsing() throws {
        let value = try #require(Normalization(parsing: "mean=0.5,0.25,0.125,std=0.5,scale=1/255"))
        #expect(value.mean == [0.5, 0.25, 0.125] && value.std == [0.5] && value.scale == Float(1.0 / 255))
        #expect(Normalization(parsing: value.text) == value)
        for text in [
            "", "mean", "mean=", "mean=a", "std=0", "scale=1,2", "mean=1,mean=2", "depth=1", "0.5,mean=1", "scale=1/0",
        ] {
            #expect(Normalization(parsing: text) == nil, "\(text)")
        }
    }

    @Test("metadata without these keys state nothing, and bad ones are an error")
    func metadata() throws {
        #expect(try Normalization(metadata: [MetadataEntry(key: "layout", value: "NCHW")]) == nil)
        let stated = try Normalization(metadata: [
            MetadataEntry(key: "mean", value: "0.485, 0.456,0.406"), MetadataEntry(key: "layout", value: "NHWC"),
        ])
        #expect(stated?.mean.count == 3 && stated?.scale == Float(1.0 / 255) && stated?.hasChannelsLast == true)
        let error = #expect(throws: ConversionError.self) {
            _ = try Normalization(metadata: [MetadataEntry(key: "std", value: "many")])
        }
        #expect(error?.code == "data.normalization")
    }

    @Test("(x · scale − mean) / std, by channel")
    func values() throws {
        var values: [Float] = (0..<12).map { Float($0 * 20) }
        let normalization = Normalization(mean: [0.5, 0.25], std: [2, 4], scale: 1 / 255)
        try normalization.apply(to: &values, shape: [2, 2, 3], channelAxis: 1)
        for index in 0..<12 {
            let channel = index / 3 % 2
            let expected = (Float(index * 20) * (1 / 255) - [0.5, 0.25][channel]) / [2, 4][channel]
            #expect(values[index] == expected)
        }
        var last: [Float] = [255, 255]
        try normalization.apply(to: &last, shape: [1, 1, 2], channelAxis: 2)
        #expect(last == [0.25, 0.1875])
        #expect(throws: ConversionError.self) {
            try normalization.apply(to: &last, shape: [1, 3], channelAxis: 1)
        }
    }
}
