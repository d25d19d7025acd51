"""Broken and hostile model files, by the rows of the reliability page (I1 to I15, I17)."""

from __future__ import annotations

from . import bytes_, external, graphs, tensors
from .registry import CASES, Case, accepted, rejected

__all__ = ["CASES", "Case", "accepted", "bytes_", "external", "graphs", "rejected", "tensors"]
