internal import Glibc

/// One event of inotify, as the kernel wrote it.
package struct InotifyEvent: Hashable, Sendable {
    package struct Mask: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        private init(_ value: Int32) { rawValue = UInt32(bitPattern: value) }

        package static let attributes = Mask(IN_ATTRIB)
        package static let closedAfterWriting = Mask(IN_CLOSE_WRITE)
        package static let movedFrom = Mask(IN_MOVED_FROM)
        package static let movedTo = Mask(IN_MOVED_TO)
        package static let created = Mask(IN_CREATE)
        package static let deleted = Mask(IN_DELETE)
        package static let selfDeleted = Mask(IN_DELETE_SELF)
        package static let selfMoved = Mask(IN_MOVE_SELF)
        package static let unmounted = Mask(rawValue: 0x2000)
        package static let overflow = Mask(rawValue: 0x4000)
        package static let ignored = Mask(rawValue: 0x8000)
        package static let isFolder = Mask(rawValue: 0x4000_0000)
    }

    /// −1 for an overflow.
    package var watch: Int32
    package var mask: Mask
    /// The name inside the watched folder; empty when the event is about the folder itself.
    package var name: BytePath

    package init(watch: Int32, mask: Mask, name: BytePath = "") {
        self.watch = watch
        self.mask = mask
        self.name = name
    }

    /// The events in what one `read` gave: watch (4 bytes), mask (4), cookie (4), length (4), then `length` bytes of
    /// name padded with NUL, in the machine's byte order. A record that runs past the end is dropped with what follows.
    package static func decode(_ bytes: ArraySlice<UInt8>) -> [InotifyEvent] {
        var events: [InotifyEvent] = []
        var rest = bytes
        func number(at offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(rest[rest.startIndex + offset + $1]) << UInt32(8 * $1) }.littleEndianHost
        }
        while rest.count >= 16 {
            let length = Int(number(at: 12))
            guard rest.count - 16 >= length else { break }
            let name = rest.dropFirst(16).prefix(length).prefix { $0 != 0 }
            events.append(
                InotifyEvent(
                    watch: Int32(bitPattern: number(at: 0)), mask: Mask(rawValue: number(at: 4)), name: BytePath(name)))
            rest = rest.dropFirst(16 + length)
        }
        return events
    }
}

extension UInt32 {
    /// A number put together from little-endian bytes, as this machine would have read it.
    fileprivate var littleEndianHost: UInt32 { UInt32(littleEndian: 1) == 1 ? self : byteSwapped }
}
