"""One row of the table, and how large the work of a run is."""
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    label: str
    # Prepares, measures one thing in a column, tidies up, and returns the figure; None where there is nothing to measure.
    measure: Callable
    # Of times and sizes less is better; relative to another column they are shown as speeds, higher is better.
    less_is_better: bool = False
    # A ratio already: not divided by the same ratio of the pass-through.
    is_ratio: bool = False

    def relative(self, value, base):
        """How good `value` is where `base` is 1."""
        return base / value if self.less_is_better else value / base


@dataclass(frozen=True)
class Sizes:
    sequential_mib: int
    warm_mib: int
    # More than a mount's block cache keeps (256 MiB), less than the memory.
    page_cache_mib: int
    random_mib: int
    seconds: int
    files: int
    tree_files: int
    # Below the limit of inodes that a mount remembers.
    memory_files: int = 20_000
    # Writes that the other mount looks out for.
    sightings: int = 1000


QUICK = Sizes(sequential_mib=256, warm_mib=64, page_cache_mib=384, random_mib=256, seconds=2, files=1000,
              tree_files=2000, sightings=300)
FULL = Sizes(sequential_mib=1024, warm_mib=128, page_cache_mib=512, random_mib=1024, seconds=6, files=5000,
             tree_files=10_000)
