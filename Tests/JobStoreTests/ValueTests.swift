import FoundationEssentials
import JobStore
import TestSupport
import Testing

@Suite("Paths, times, JSON and errors")
struct ValueTests {
    @Test(
        "a path comes back byte for byte, whatever it contains",
        arguments: [
            Array("zoo/modèle.onnx".utf8), [0xff, 0xfe, 0x2f, 0x0a], Array("a'b\"c;--".utf8), [0x61, 0x00, 0x62], [],
        ])
    func pathBytes(bytes: [UInt8]) throws {
        let fixture = try StoreFixture()
        let request = JobRequest(
            path: JobPath(bytes: bytes), sourceDigest: "s", settingsDigest: "t", location: JobPath(bytes: bytes))
        guard case .enqueued(let job) = try fixture.store.enqueue(request) else {
            Issue.record("a duplicate in an empty store")
            return
        }
        #expect(try fixture.store.show(job.id).path.bytes == bytes)
        #expect(try fixture.store.show(job.id).location?.bytes == bytes)
    }

    @Test(
        "a path is shown on one line, and two paths never look alike",
        arguments: [
            ([0x61, 0x0a, 0x62], "a\\x0ab"), ([0x61, 0xff], "a\\xff"), (Array("é漢😀".utf8), "é漢😀"),
            (Array("a\\xff".utf8), "a\\x5cxff"), ([0xc3], "\\xc3"), ([0xc2, 0x85], "\\xc2\\x85"),
            ([0xe6, 0xbc], "\\xe6\\xbc"),
        ] as [([UInt8], String)])
    func pathText(bytes: [UInt8], text: String) { #expect(JobPath(bytes: bytes).description == text) }

    @Test(
        "times are shown as ISO 8601",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_772_348_709_250, "2026-03-01T07:05:09.250Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func times(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test("a time far beyond every calendar is the last one and not a crash")
    func farTimes() {
        #expect(Timestamp(milliseconds: 0).adding(seconds: 1e300).milliseconds == .max)
        #expect(Timestamp(milliseconds: 0).adding(seconds: -1e300).milliseconds == .min)
    }

    @Test("the JSON of a job has the documented keys")
    func json() throws {
        let fixture = try StoreFixture()
        let id = try fixture.job(.done)
        let data = try JSONEncoder().encode(fixture.store.show(id))
        let text = String(decoding: data, as: UTF8.self)
        for key in [
            "\"id\":\(id)", "\"path\":\"zoo", "\"state\":\"done\"", "\"source_sha256\":\"sha-model\"",
            "\"parameters_after\":5", "\"attempts\":1", "\"sha256\":\"abc\"", "\"settled\":false",
        ] {
            #expect(text.contains(key), "\(key) is not in \(text)")
        }
    }

    @Test("every error has a code, a message and a remedy in its text")
    func errorText() {
        let error = StoreError("store.x", .temporary, "what", remedy: "Do this.", file: "f", cause: "why")
        #expect(error.description == "what [store.x] (file f): why\n  remedy: Do this.")
    }
}
