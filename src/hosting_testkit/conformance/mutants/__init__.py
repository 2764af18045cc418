"""Seeded defects, one module per area: each is a reference with one change, found by the rules it names."""

from .model import Mutant, mutant, mutants

__all__ = ["Mutant", "mutant", "mutants"]
