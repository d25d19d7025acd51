"""The list of bad inputs, and what is expected of the program for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

REJECTED = (65, 66)
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Case:
    """One input. `write` makes it in an empty folder of its own and returns the path to convert."""

    name: str
    row: str
    write: Callable[[Path], Path]
    statuses: tuple[int, ...]
    # A regular expression that the error's code has to match; empty: any code.
    code: str = ""
    # Bytes that the process may occupy at most.
    memory: int = 512 * MEBIBYTE


CASES: list[Case] = []


def writer(content: bytes | Callable[[], bytes] | Callable[[], onnx.ModelProto]) -> Callable[[Path], Path]:
    """Writes bytes or a model, made when it is needed, as `model.onnx`."""

    def write(folder: Path) -> Path:
        made = content() if callable(content) else content
        path = folder / "model.onnx"
        path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
        return path

    return write


def rejected(row: str, name: str, content: object, code: str = "", **limits: int) -> None:
    """An input that has to be refused with status 65 or 66. `content`: bytes, a maker of bytes or of a model, or a
    function of the folder."""
    CASES.append(Case(name, row, _writer(content), REJECTED, code, **limits))


def accepted(row: str, name: str, content: object, *, strictly: bool = True, **limits: int) -> None:
    """An input that has to be converted or passed on; not `strictly`: or refused."""
    CASES.append(Case(name, row, _writer(content), (0,) if strictly else (0, *REJECTED), "", **limits))


def _writer(content: object) -> Callable[[Path], Path]:
    if callable(content) and content.__code__.co_argcount - len(content.__defaults__ or ()) == 1:
        return content
    return writer(content)
