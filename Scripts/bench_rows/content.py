"""Rows on the content of one large file."""
import json
import os
import random
import time

from .commands import MIB, at_once, drop_caches, run
from .row import Row

# What a filesystem may want a file to be left alone for, before it lets the kernel keep its pages.
CALM_SECONDS = 1.5


def write_sequentially(path, mib, first=0):
    """Writes `mib` MiB from the MiB `first` on, in pieces of one, and syncs."""
    block = random.Random(1).randbytes(MIB)
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        for index in range(first, first + mib):
            assert os.pwrite(file, block, index * MIB) == MIB
        os.fsync(file)
    finally:
        os.close(file)


def read_sequentially(path, buffer):
    file = os.open(path, os.O_RDONLY)
    try:
        while os.readv(file, [buffer]):
            pass
    finally:
        os.close(file)


class ContentRows:
    def __init__(self, sizes):
        self.sizes = sizes
        mib = sizes.sequential_mib
        self.rows = {
            "seqwrite": Row(f"sequential 1 MiB write + fsync, {mib} MiB, MB/s", self.sequential_write),
            "coldread": Row(f"cold sequential read from the other mount, {mib} MiB, MB/s", self.cold_read),
            "warmread": Row(f"warm sequential read, {sizes.warm_mib} MiB, MB/s",
                            lambda column: self.warm_read(column, sizes.warm_mib)),
            "pagecache": Row(f"warm sequential read, {sizes.page_cache_mib} MiB (the block cache: 256 MiB), MB/s",
                             lambda column: self.warm_read(column, sizes.page_cache_mib)),
            "randread1": Row("4 KiB random read, 1 job, IOPS", lambda column: self.random_read(column, 1)),
            "randread4": Row("4 KiB random read, 4 jobs, IOPS", lambda column: self.random_read(column, 4)),
            "writefsync": Row("4 KiB write + fsync, IOPS", self.write_and_fsync),
            "halves": Row(f"two mounts write a half of one {mib} MiB file each, relative to one mount that writes all",
                          self.halves, is_ratio=True),
        }

    def fio(self, column, kind, **options):
        """Runs one fio job and returns its figures for reads or writes."""
        options = {"name": "bench", "directory": column.path, "filename": "fio", "bs": "4k", "ioengine": "psync",
                   "group_reporting": 1, "fallocate": "none", "thread": 1, **options}
        words = [f"--{key}={value}" for key, value in options.items()]
        return json.loads(run("fio", "--output-format=json", *words))["jobs"][0][kind]

    def lay_out(self, column, mib):
        path = column.path / "fio"
        if not path.exists() or path.stat().st_size != mib * MIB:
            self.remove(column)
            write_sequentially(path, mib)

    def remove(self, column):
        (column.path / "fio").unlink(missing_ok=True)

    def sequential_write(self, column):
        # Timed from outside: fio's own figure leaves the fsync at the end out of some of its numbers.
        self.remove(column)
        drop_caches()
        start = time.monotonic()
        write_sequentially(column.path / "fio", self.sizes.sequential_mib)
        return self.sizes.sequential_mib * MIB / 1e6 / (time.monotonic() - start)

    def cold_read(self, column):
        # A new file every time, so that no cache of the other mount can know it.
        self.remove(column)
        write_sequentially(column.path / "fio", self.sizes.sequential_mib)
        drop_caches()
        buffer = bytearray(MIB)
        start = time.monotonic()
        read_sequentially(column.other / "fio", buffer)
        return self.sizes.sequential_mib * MIB / 1e6 / (time.monotonic() - start)

    def warm_read(self, column, mib):
        """Opens, reads and closes a file again and again, as one program after the other would."""
        self.lay_out(column, mib)
        path, buffer = column.path / "fio", bytearray(MIB)
        start = time.monotonic()
        while time.monotonic() - start < CALM_SECONDS:
            read_sequentially(path, buffer)
        read_sequentially(path, buffer)
        passes, start = 0, time.monotonic()
        while (seconds := time.monotonic() - start) < self.sizes.seconds / 2:
            read_sequentially(path, buffer)
            passes += 1
        return passes * mib * MIB / 1e6 / seconds

    def random_read(self, column, jobs):
        self.lay_out(column, self.sizes.random_mib)
        drop_caches()
        return self.fio(column, "read", rw="randread", size=f"{self.sizes.random_mib}M", direct=1, numjobs=jobs,
                        time_based=1, runtime=self.sizes.seconds)["iops"]

    def write_and_fsync(self, column):
        self.lay_out(column, self.sizes.random_mib)
        return self.fio(column, "write", rw="randwrite", size=f"{self.sizes.random_mib}M", fsync=1, time_based=1,
                        runtime=self.sizes.seconds)["iops"]

    def halves(self, column):
        """One mount, two mounts, and one again, as the disk's speed drifts."""
        half = self.sizes.sequential_mib // 2

        def seconds(*works):
            self.remove(column)
            (column.path / "fio").touch()
            drop_caches()
            start = time.monotonic()
            at_once(*works)
            return time.monotonic() - start

        def alone():
            return seconds(lambda: write_sequentially(column.path / "fio", 2 * half))

        before = alone()
        together = seconds(lambda: write_sequentially(column.path / "fio", half),
                           lambda: write_sequentially(column.other / "fio", half, first=half))
        return (before + alone()) / 2 / together
