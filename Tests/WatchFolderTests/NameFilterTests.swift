import Testing
import WatchFolder

@Suite("Names")
struct NameFilterTests {
    let filter = NameFilter(modelExtensions: ["onnx"])

    @Test(
        "names of unfinished files are temporary",
        arguments: [
            ".x.onnx.Ab12Cd", "x.onnx.part", "x.onnx.partial", "x.onnx.filepart", "x.onnx.crdownload", "x.onnx.TMP",
            "~x.onnx", "~syncthing~x.onnx.tmp", ".syncthing.x.onnx.tmp", "x.onnx~", "#x.onnx#", "..onnx", ".onnx",
            ".nfs0001",
        ])
    func temporary(_ name: String) {
        #expect(filter.isTemporary(BytePath(name)))
        #expect(!filter.isModel(BytePath(name)))
    }

    @Test(
        "names of models are models, however odd",
        arguments: [
            "x.onnx", "X.ONNX", "-rf.onnx", "a b.onnx", "a\nb.onnx", "x.onnx.onnx", "é.onnx", "x'\".onnx",
        ])
    func models(_ name: String) {
        #expect(filter.isModel(BytePath(name)))
    }

    @Test("other names are neither", arguments: ["x", "onnx", "x.onnx.data", "x.yaml", "xonnx"])
    func others(_ name: String) {
        #expect(!filter.isModel(BytePath(name)))
        #expect(!filter.isTemporary(BytePath(name)))
    }

    @Test(
        "folders of synchronizing programs are left alone",
        arguments: [
            ".stfolder", ".stversions", "@eaDir", "__MACOSX", ".git", "lost+found",
        ])
    func folders(_ name: String) {
        #expect(filter.ignoresFolder(BytePath(name)))
        #expect(!filter.ignoresFolder("models"))
    }
}
