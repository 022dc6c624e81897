"""Rows on trees of files: untar, find, git, and what a tree costs in memory."""
import random
import shutil
import statistics
import tarfile
import time
from io import BytesIO
from pathlib import Path

from .commands import drop_caches, run
from .row import Row


class TreeRows:
    def __init__(self, sizes, base, loop):
        self.sizes, self.loop, self.tar = sizes, loop, base / "tree.tar"
        count = f"{sizes.tree_files:,}-file"
        self.rows = {
            "untar": Row(f"untar of a {count} tree, s", self.untar, less_is_better=True),
            "warmstat": Row(f"warm stat, {count} tree, per s", lambda column: self.walk(column, "tree-stat")),
            "warmopen": Row(f"warm open + read + close, {count} tree, per s",
                            lambda column: self.walk(column, "tree-read")),
            "find": Row(f"find -size in a {count} tree, again, ms", self.find, less_is_better=True),
            "gitstatus": Row(f"git status in a {count} repository, again, ms", self.git_status, less_is_better=True),
            "memory": Row(f"memory of the mount's process per cached inode, {sizes.memory_files:,} files, bytes",
                          self.memory, less_is_better=True),
        }

    def untar(self, column):
        directory = column.path / f"tree-{time.monotonic_ns()}"
        try:
            return self.lay_out_tree(directory)
        finally:
            shutil.rmtree(directory)

    def lay_out_tree(self, directory):
        if not self.tar.exists():
            make_tree(self.tar, self.sizes.tree_files)
        directory.mkdir()
        start = time.monotonic()
        run("tar", "xf", self.tar, "-C", directory)
        return time.monotonic() - start

    def warm_tree(self, column, name="warm"):
        """A tree that stays until the column is stopped."""
        directory = column.path / name
        if not directory.exists():
            self.lay_out_tree(directory)
        return directory

    def walk(self, column, operation):
        return float(run(self.loop, operation, self.warm_tree(column), self.sizes.seconds))

    def again(self, *words):
        """Milliseconds that a command takes when it has run just before: the median of what fits in the time."""
        run(*words)
        times, start = [], time.monotonic()
        while time.monotonic() - start < self.sizes.seconds / 2 or len(times) < 3:
            begin = time.monotonic()
            run(*words)
            times.append((time.monotonic() - begin) * 1e3)
        return statistics.median(times)

    def find(self, column):
        return self.again("find", self.warm_tree(column), "-type", "f", "-size", "+1k")

    def git_status(self, column):
        directory = self.warm_tree(column, "repository")
        git = ("git", "-C", directory, "-c", "user.name=bench", "-c", "user.email=bench@localhost")
        if not (directory / ".git").exists():
            # The pass-through holds a descriptor for each inode that the kernel knows, and may not have 30,000.
            drop_caches()
            run("git", "init", "-q", directory)
            # Objects go into one pack, not into a file each.
            run(*git, "-c", "core.bigFileThreshold=1", "add", ".")
            run(*git, "commit", "-q", "-m", "bench")
        return self.again(*git, "status", "--short")

    def memory(self, column):
        """What a new mount's process grows by as each file of a tree is found and looked at. A first small tree has
        paid for what a process allocates once."""
        if column.mount_third is None:
            return None
        with column.third_mount() as (place, process):
            small, large = self.many_files(column, 200), self.many_files(column, self.sizes.memory_files)
            self.look_at(place / small)
            before = anonymous_bytes(process)
            self.look_at(place / large)
            return (anonymous_bytes(process) - before) / self.sizes.memory_files

    def many_files(self, column, count):
        """The name of a tree of so many empty files, 100 to a directory, which stays until the column is stopped."""
        name = f"files-{count}"
        if not (column.path / name).exists():
            (column.path / name).mkdir()
            for index in range(count // 100):
                directory = column.path / name / str(index)
                directory.mkdir()
                run(self.loop, "create", directory, 100)
        return name

    def look_at(self, directory):
        run("find", directory, "-size", "+1k")
        run(self.loop, "tree-stat", directory, 0)


def anonymous_bytes(process):
    """Memory of its own that a process has resident, without its program's pages."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon:")).split()[1]) << 10


def make_tree(path, files):
    """A source tree in small: 20 files to a directory, most of some KiB, a few large; the same every time."""
    source = random.Random(1)
    with tarfile.open(path, "w") as archive:
        for index in range(files):
            entry = tarfile.TarInfo(f"tree/{index // 400:03}/{index // 20 % 20:03}/file-{index}.c")
            entry.size = min(int(source.lognormvariate(8, 1.3)), 512 * 1024)
            archive.addfile(entry, BytesIO(source.randbytes(entry.size)))
