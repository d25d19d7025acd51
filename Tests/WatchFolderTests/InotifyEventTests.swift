import Testing
import WatchFolder

@Suite("Events as the kernel writes them")
struct InotifyEventTests {
    /// One record on a little-endian machine.
    static func record(_ watch: Int32, _ mask: UInt32, _ name: [UInt8], length: Int? = nil) -> [UInt8] {
        let padded = name + [UInt8](repeating: 0, count: (length ?? name.count) - name.count)
        let numbers: [UInt32] = [UInt32(bitPattern: watch), mask, 7, UInt32(padded.count)]
        return numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } } + padded
    }

    @Test("several records with padded names are told apart")
    func decodes() {
        let bytes =
            Self.record(1, 0x8, Array("x.onnx".utf8), length: 16) + Self.record(-1, 0x4000, [])
            + Self.record(2, 0x4000_0100, [0xFF, 0x41], length: 16)
        let events = InotifyEvent.decode(bytes[...])
        #expect(
            events == [
                InotifyEvent(watch: 1, mask: .closedAfterWriting, name: "x.onnx"),
                InotifyEvent(watch: -1, mask: .overflow),
                InotifyEvent(watch: 2, mask: [.created, .isFolder], name: BytePath([0xFF, 0x41])),
            ])
    }

    @Test("every prefix of a buffer decodes to a prefix of its events")
    func prefixes() {
        let bytes =
            Self.record(1, 0x8, Array("a".utf8), length: 16) + Self.record(2, 0x80, Array("bc".utf8), length: 16)
        let all = InotifyEvent.decode(bytes[...])
        #expect(all.count == 2)
        for count in 0...bytes.count {
            let events = InotifyEvent.decode(bytes[..<count])
            #expect(events == Array(all.prefix(count / 32)), "\(count) bytes")
        }
    }

    @Test("a length that runs past the end ends the decoding")
    func lyingLength() {
        var bytes = Self.record(1, 0x8, Array("abc".utf8), length: 16)
        for index in 12..<16 { bytes[index] = 0xFF }
        #expect(InotifyEvent.decode(bytes[...]).isEmpty)
    }

    @Test("the type of a file system is found by its device, the last mount winning")
    func mounts() {
        let table = """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            30 22 0:45 / /mnt/a rw - nfs4 server:/a rw
            31 22 0:45 / /mnt/b rw,noatime shared:2 master:1 - fuse.sshfs host:/ rw
            broken line
            """
        #expect(FileSystemKind.find(device: 0x801, in: table).name == "ext4")
        #expect(FileSystemKind.find(device: 45, in: table).name == "fuse.sshfs")
        #expect(FileSystemKind.find(device: 46, in: table).name == "")
        #expect(
            ["nfs", "nfs4", "cifs", "9p", "fuse.sshfs", "virtiofs"].allSatisfy { FileSystemKind(name: $0).needsPolling }
        )
        #expect(["ext4", "xfs", "tmpfs", "overlay", "btrfs", ""].allSatisfy { !FileSystemKind(name: $0).needsPolling })
        #expect(FileSystemKind.of("/proc").name == "proc")
    }
}
