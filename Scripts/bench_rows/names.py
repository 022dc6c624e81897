"""Rows on many small files of one directory."""
import shutil
import subprocess
import time

from .commands import REPOSITORY, at_once, drop_caches, run
from .row import Row

PROCESSES = 4


class NameRows:
    def __init__(self, sizes, base):
        self.sizes = sizes
        self.loop = base / "bench-metadata"
        run("cc", "-O2", "-o", self.loop, REPOSITORY / "Scripts/bench-metadata.c")
        self.rows = {
            "create": Row("create, per s", lambda column: self.in_new_directory(column, "create")),
            "stat": Row("stat, per s", lambda column: self.on_files(column, "create", "stat")),
            "coldstat": Row("stat from the other mount, cold, per s",
                            lambda column: self.on_files(column, "create", "stat", cold=True)),
            "rename": Row("rename, per s", lambda column: self.on_files(column, "create", "rename")),
            "unlink": Row("unlink, per s", lambda column: self.on_files(column, "create", "unlink")),
            "list": Row("ls -l, again, entries per s", lambda column: self.on_files(column, "create", "list", again=True)),
            "coldlist": Row("ls -l from the other mount, cold, entries per s",
                            lambda column: self.on_files(column, "create", "list", cold=True)),
            "small": Row("create + write 4 KiB + close, per s", lambda column: self.in_new_directory(column, "small")),
            "small4": Row("create + write 4 KiB + close, 4 processes in a directory each, per s", self.small_apart),
            "small4same": Row("create + write 4 KiB + close, 4 processes in one directory, per s", self.small_together),
            "coldsmall": Row("open + read 4 KiB + close from the other mount, cold, per s",
                             lambda column: self.on_files(column, "small", "read", cold=True)),
            "warmsmall": Row("open + read 4 KiB + close, again, per s",
                             lambda column: self.on_files(column, "small", "read", again=True)),
        }

    def in_new_directory(self, column, operation):
        """What `operation` does per second in a new directory of the first mount."""
        directory = self.new_directory(column)
        try:
            return float(run(self.loop, operation, directory, self.sizes.files))
        finally:
            shutil.rmtree(directory)

    def on_files(self, column, kind, operation, cold=False, again=False):
        """What `operation` does per second on files that the first mount has just made: there, or if `cold` from the
        other mount, or if `again` after it has been done once."""
        directory = self.new_directory(column)
        try:
            run(self.loop, kind, directory, self.sizes.files)
            place = column.other / directory.name if cold else directory
            if cold:
                drop_caches()
            if again:
                self.on_directory(operation, place)
            return self.on_directory(operation, place)
        finally:
            shutil.rmtree(directory)

    def on_directory(self, operation, directory):
        if operation != "list":
            return float(run(self.loop, operation, directory, self.sizes.files))
        start = time.monotonic()
        subprocess.run(["ls", "-l", directory], stdout=subprocess.DEVNULL, check=True, timeout=300)
        return self.sizes.files / (time.monotonic() - start)

    def new_directory(self, column):
        """A name that no mount has seen."""
        directory = column.path / f"many-{time.monotonic_ns()}"
        directory.mkdir()
        return directory

    def small_apart(self, column):
        directory = self.new_directory(column)
        places = [directory / str(number) for number in range(PROCESSES)]
        for place in places:
            place.mkdir()
        return self.small_by_processes(directory, [(place, "f") for place in places])

    def small_together(self, column):
        directory = self.new_directory(column)
        return self.small_by_processes(directory, [(directory, f"{number}-") for number in range(PROCESSES)])

    def small_by_processes(self, directory, places):
        count = self.sizes.files // PROCESSES
        try:
            start = time.monotonic()
            at_once(*[lambda place=place, prefix=prefix: run(self.loop, "small", place, count, prefix)
                      for place, prefix in places])
            return PROCESSES * count / (time.monotonic() - start)
        finally:
            shutil.rmtree(directory)
