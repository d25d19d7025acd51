#!/usr/bin/env python3
"""Writes one small ONNX model for every layer form, and forms.json, which says what is expected of each.

usage: make_forms.py OUT
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import onnx
from forms import FORMS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    manifest = []
    for form in FORMS:
        model = form.build()
        onnx.checker.check_model(model, full_check=True)
        (out / f"{form.name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        manifest.append(
            {
                "name": form.name,
                "decompositions": list(form.decompositions),
                "expect": form.expect,
                "layers": form.layers,
                "tolerance": form.tolerance,
            }
        )
    (out / "forms.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{len(manifest)} models in {out}")


if __name__ == "__main__":
    main()
