#!/usr/bin/env python3
"""Import and export without a change in between, compared by Python's protobuf.

usage: check_roundtrip.py RENE FOLDER…

Each ONNX model below the folders goes through `rene copy`. What is written must be the same message, field by field and
unknown fields included, and each of its data files the same bytes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import onnx
from google.protobuf import unknown_fields


def unknown(message):
    """The unknown fields of a message and of all messages in it, as nested tuples."""
    own = tuple(
        (field.field_number, field.wire_type, repr(field.data)) for field in unknown_fields.UnknownFieldSet(message)
    )
    inner = []
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        values = value if descriptor.is_repeated else [value]
        inner.append((descriptor.number, tuple(unknown(each) for each in values)))
    return own, tuple(inner)


def difference(source: Path, result: Path) -> str | None:
    """What differs between a model and its copy."""
    before = onnx.ModelProto.FromString(source.read_bytes())
    after = onnx.ModelProto.FromString(result.read_bytes())
    if before != after or unknown(before) != unknown(after):
        return "another message"
    for data in result.parent.iterdir():
        if data != result and data.read_bytes() != (source.parent / data.name).read_bytes():
            return f"other bytes in {data.name}"
    return None


def round_trip(rene: str, source: Path) -> str | None:
    """What is wrong with the copy of a model, or None."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [rene, "copy", source, "--output", folder], capture_output=True, text=True, timeout=60, check=False
        )
        if run.returncode != 0:
            return f"exit status {run.returncode}: {run.stderr.strip()}"
        return difference(source, Path(folder) / source.name)


def main(arguments: list[str]) -> int:
    if len(arguments) < 2 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 64
    rene, *folders = arguments
    sources = sorted({path.resolve() for folder in folders for path in Path(folder).rglob("*.onnx")})
    with ThreadPoolExecutor(4) as pool:
        problems = list(pool.map(lambda source: round_trip(rene, source), sources))
    for source, problem in zip(sources, problems):
        if problem is not None:
            print(f"{source}: {problem}")
    failed = sum(problem is not None for problem in problems)
    print(f"{len(sources) - failed} passed, {failed} failed")
    return 0 if sources and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
