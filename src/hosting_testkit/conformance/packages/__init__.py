"""The package that a channel comes in: its metadata, its source, and what happens when it is imported."""

from .built import PackageFiles, built
from .examination import Examination, examine
from .identity import ChannelPackage, NoPackage, distribution_of, package_of
from .source import run_time_imports

__all__ = [
    "ChannelPackage",
    "Examination",
    "NoPackage",
    "PackageFiles",
    "built",
    "distribution_of",
    "examine",
    "package_of",
    "run_time_imports",
]
