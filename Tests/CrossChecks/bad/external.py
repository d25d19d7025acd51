"""Rows I15 and I17: external data that leads out of the folder or nowhere, and paths that are not files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import onnx
from model_builder import Net
from onnx import TensorProto

from .registry import accepted, rejected

SIZE = 32 * 24 * 4
Entry = tuple[str, str]


def external(entries: Sequence[Entry]) -> onnx.ModelProto:
    """A MatMul by a 32×24 weight that is stored elsewhere."""
    net = Net(81, 17)
    x = net.input("x", [3, 32])
    w = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[32, 24])
    w.data_location = TensorProto.EXTERNAL
    for key, value in entries:
        w.external_data.add(key=key, value=value)
    net.initializers.append(w)
    net.output(net.add("MatMul", [x, "w"], "matmul"), shape=[3, 24])
    return net.model(infer=False)


def case(
    name: str,
    entries: Sequence[Entry],
    prepare: Callable[[Path], object] | None = None,
    *,
    code: str = "external-data",
    sound: bool = False,
    strictly: bool = True,
) -> None:
    """A model in `folder/models/`; the data `secret.bin` lies in `folder/`, outside of what it may read."""

    def write(folder: Path) -> Path:
        models = folder / "models"
        models.mkdir()
        (folder / "secret.bin").write_bytes(bytes(SIZE))
        if prepare:
            prepare(models)
        path = models / "model.onnx"
        path.write_bytes(external([(k, v.replace("{outside}", str(folder))) for k, v in entries]).SerializeToString())
        return path

    if sound:
        accepted("I15", f"external-{name}", write, strictly=strictly)
    else:
        rejected("I15", f"external-{name}", write, code)


def data(name: str = "w.bin", size: int = SIZE) -> Callable[[Path], object]:
    """Puts a data file beside the model."""

    def put(models: Path) -> None:
        target = models / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(bytes(range(1, 97)) * (size // 96) + bytes(size % 96))

    return put


def linked_parent(models: Path) -> None:
    """A folder beside the model that is a link to the folder above."""
    (models / "sub").symlink_to(models.parent, target_is_directory=True)


def at(location: str, **more: int | str) -> list[Entry]:
    """The entries of one tensor."""
    return [("location", location), *((key, str(value)) for key, value in more.items())]


case("plain", at("w.bin"), data(), sound=True)
case("offset-and-length", at("w.bin", offset=96, length=SIZE), data(size=SIZE + 96), sound=True)
case("in-a-subfolder", at("sub/w.bin"), data("sub/w.bin"), sound=True)
case("checksum", at("w.bin", checksum="0" * 40), data(), sound=True, strictly=False)
case("dot", at("./w.bin"), data(), sound=True, strictly=False)

case("parent", at("../secret.bin"))
case("parent-below", at("sub/../../secret.bin"), data("sub/w.bin"))
case("parent-of-many", at("../../../../../../../../etc/passwd"))
case("parent-inside", at("sub/../w.bin"), lambda m: (data()(m), (m / "sub").mkdir()), sound=True, strictly=False)
case("absolute", at("{outside}/secret.bin"))
case("absolute-device", at("/dev/zero"))
case("file-url", at("file://{outside}/secret.bin"))
case("backslashes", at("..\\secret.bin"))
case("link", at("w.bin"), lambda m: (m / "w.bin").symlink_to("../secret.bin"))
case("link-inside", at("w.bin"), lambda m: (data("real.bin")(m), (m / "w.bin").symlink_to("real.bin")))
case("link-to-device", at("w.bin"), lambda m: (m / "w.bin").symlink_to("/dev/zero"))
case("link-loop", at("w.bin"), lambda m: (m / "w.bin").symlink_to("w.bin"))
case("linked-parent", at("sub/secret.bin"), linked_parent)
case("hard-link", at("w.bin"), lambda m: os.link(m.parent / "secret.bin", m / "w.bin"))
case("fifo", at("w.bin"), lambda m: os.mkfifo(m / "w.bin"))
case("folder", at("w.bin"), lambda m: (m / "w.bin").mkdir())
case("the-folder-itself", at("."))
case("missing", at("w.bin"))
case("empty-file", at("w.bin"), data(size=0), code="external-data|payload-size")
case("too-short", at("w.bin"), data(size=SIZE - 1), code="external-data|payload-size")
case("offset-beyond", at("w.bin", offset=SIZE + 1, length=SIZE), data())
case("offset-negative", at("w.bin", offset=-4, length=SIZE), data())
case("offset-overflows", at("w.bin", offset=2**63 - 8, length=SIZE), data())
case("offset-beyond-64-bits", at("w.bin", offset=2**64 + 96), data())
case("offset-not-a-number", at("w.bin", offset="ten"), data())
case("offset-hexadecimal", at("w.bin", offset="0x10"), data())
case("length-huge", at("w.bin", length=2**62), data())
case("length-negative", at("w.bin", length=-1), data())
case("length-wrong", at("w.bin", length=SIZE - 4), data(), code="external-data|payload-size")
case("length-zero", at("w.bin", length=0), data(), sound=True, strictly=False)
case("location-empty", at(""))
case("location-absent", [("offset", "0")])
case("location-is-the-model", at("model.onnx"))
case("location-long", at("a" * 300))
case("location-very-long", at("a/" * 5000 + "w.bin"))
case("location-nul", at("w.bin\x00.png"), data(), code="")
case("unknown-key", [*at("w.bin"), ("command", "rm")], data())
case("key-twice", [*at("w.bin"), ("location", "../secret.bin")], data())
case("offset-twice", [*at("w.bin", offset=0), ("offset", "4")], data(size=SIZE + 4))
case("raw-data-too", at("w.bin"), data(), sound=True, strictly=False)


def many_files(folder: Path) -> Path:
    """More data files than a model may have."""
    net = Net(82, 17)
    x = net.input("x", [3, 4])
    for i in range(200):
        w = onnx.TensorProto(name=f"w{i}", data_type=TensorProto.FLOAT, dims=[4, 4])
        w.data_location = TensorProto.EXTERNAL
        w.external_data.add(key="location", value=f"w{i}.bin")
        (folder / f"w{i}.bin").write_bytes(bytes(64))
        net.initializers.append(w)
        x = net.add("MatMul", [x, f"w{i}"], f"matmul{i}")
    net.output(x, shape=[3, 4])
    path = folder / "model.onnx"
    path.write_bytes(net.model(infer=False).SerializeToString())
    return path


rejected("I15", "external-200-files", many_files, "external-data")


def path_case(name: str, prepare: Callable[[Path], object]) -> None:
    """A path that is no model file."""

    def write(folder: Path) -> Path:
        path = folder / "model.onnx"
        prepare(path)
        return path

    rejected("I17", f"path-{name}", write)


path_case("missing", lambda p: None)
path_case("folder", lambda p: p.mkdir())
path_case("fifo", lambda p: os.mkfifo(p))
path_case("dangling-link", lambda p: p.symlink_to("nothing.onnx"))
path_case("link-loop", lambda p: p.symlink_to("model.onnx"))
path_case("link-to-device", lambda p: p.symlink_to("/dev/zero"))
