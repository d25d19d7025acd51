#!/usr/bin/env python3
"""Writes the bad inputs, each into a folder of its own, and bad.json, which says what is expected of each.

usage: make_bad.py OUT
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bad import CASES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out.resolve()
    manifest = []
    for case in CASES:
        folder = out / case.name
        folder.mkdir(parents=True)
        path = case.write(folder)
        manifest.append(
            {
                "name": case.name,
                "row": case.row,
                "path": str(path.relative_to(out)),
                "statuses": case.statuses,
                "code": case.code,
                "memory": case.memory,
            }
        )
    (out / "bad.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{len(manifest)} inputs in {out}")


if __name__ == "__main__":
    main()
