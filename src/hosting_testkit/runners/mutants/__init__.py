"""Broken runners: each has one defect, which the suite must find."""

from __future__ import annotations

from . import faces, handling, rows
from .model import MUTANTS, Mutant, MutantHarness

__all__ = ["MUTANTS", "Mutant", "MutantHarness", "faces", "handling", "rows"]
