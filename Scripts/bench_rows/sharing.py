"""Rows on one file that two mounts use at the same time."""
from .commands import REPOSITORY, run
from .row import Row


class SharingRows:
    def __init__(self, sizes, base):
        self.sizes = sizes
        self.program = base / "bench-sharing"
        run("cc", "-O2", "-o", self.program, REPOSITORY / "Scripts/bench-sharing.c")
        self.rows = {
            "visible50": Row("a write is seen by a spinning reader on the other mount, p50, ms",
                             lambda column: self.visible(column, 50), less_is_better=True),
            "visible99": Row("a write is seen by a spinning reader on the other mount, p99, ms",
                             lambda column: self.visible(column, 99), less_is_better=True),
            "pingpong": Row("ping-pong of a 4 KiB block between two mounts, round trips per s", self.ping_pong),
        }

    def visible(self, column, percentile):
        return self.share(column, "visible", self.sizes.sightings, percentile)

    def ping_pong(self, column):
        return self.share(column, "ping-pong", self.sizes.seconds, 0)

    def share(self, column, *words):
        if not column.is_coherent:
            return None
        name = "shared"
        try:
            return float(run(self.program, words[0], column.path / name, column.other / name, *words[1:]))
        finally:
            (column.path / name).unlink(missing_ok=True)
