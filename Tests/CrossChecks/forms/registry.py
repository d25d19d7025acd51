"""The list of forms. A form is a function that builds a model, with what is expected of the program for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import onnx

MATRIX = ("svd",)
KERNEL = ("svd", "tt", "tucker")
KERNEL_2D = ("svd", "tt", "tucker", "spatial-svd")
CANONICAL = ("cp",)
CANONICAL_2D = ("cp", "cp4")


@dataclass(frozen=True)
class Form:
    """One generated model."""

    name: str
    build: Callable[[], onnx.ModelProto]
    # Decompositions that have to be tried on it.
    decompositions: Sequence[str]
    # `factorized`: at least `layers` layers must be; `kept`: the graph must come out as it went in;
    # `either`: factorized, or kept with a reason.
    expect: str = "factorized"
    layers: int = 1
    # Largest relative difference of the outputs at full rank.
    tolerance: float = 1e-4


FORMS: list[Form] = []


def add(name: str, build: Callable[[], onnx.ModelProto], decompositions: Sequence[str], **expectation: object) -> None:
    """Appends a form; names are unique, since they are file names."""
    if any(form.name == name for form in FORMS):
        raise ValueError(f"two forms are called {name}")
    FORMS.append(Form(name, build, tuple(decompositions), **expectation))
