internal import FoundationEssentials
internal import GRDB

/// Bytes as a blob of the database, whatever they contain. GRDB's blobs are Foundation's.
struct DatabaseBytes: DatabaseValueConvertible {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var databaseValue: DatabaseValue { Data(bytes).databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> DatabaseBytes? {
        Data.fromDatabaseValue(value).map { DatabaseBytes(Array($0)) }
    }
}
