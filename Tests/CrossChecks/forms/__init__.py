"""The layer forms: every way in which a factorizable weight can stand in an ONNX model, one small model each."""

from __future__ import annotations

from . import convolutions, kept, linear, nested, transposed, weights
from .registry import FORMS, Form

__all__ = ["FORMS", "Form", "convolutions", "kept", "linear", "nested", "transposed", "weights"]
