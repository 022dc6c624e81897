"""The columns: filesystems with two mounts each, which are started for a run and gone after it."""
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from .commands import REPOSITORY, is_mounted, process_that_serves, run


class Column:
    """Two views of one filesystem: work is done in the first, the other mount is `other`."""

    def __init__(self, name, path, other):
        self.name, self.path, self.other = name, Path(path), Path(other)

    def start(self):
        pass

    def stop(self):
        pass

    # Whether a mount shows what another has written.
    is_coherent = True
    # Mounts the filesystem at another path; nothing where no process remembers inodes that could be measured.
    mount_third = None

    @contextmanager
    def third_mount(self):
        """A mount that has not done anything yet, and its process."""
        path = self.path.parent / f"{self.path.name}-third"
        path.mkdir()
        try:
            self.mount_third(path)
            yield path, process_that_serves(path)
        finally:
            if is_mounted(path):
                run("umount", path, timeout=30)
            path.rmdir()


class LocalDisk(Column):
    def __init__(self, base):
        super().__init__("local disk", base / "local", base / "local")

    def start(self):
        self.path.mkdir()


class PassThrough(Column):
    # The kernel keeps pages for each mount, and nobody tells the other.
    is_coherent = False

    def __init__(self, base, binary):
        super().__init__("pass-through", base / "pass-a", base / "pass-b")
        self.source, self.binary, self.processes = base / "pass-source", binary, []

    def start(self):
        for path in (self.source, self.path, self.other):
            path.mkdir()
        for path in (self.path, self.other):
            self.processes.append(subprocess.Popen([self.binary, self.source, path]))
            deadline = time.monotonic() + 10
            while not is_mounted(path):
                if self.processes[-1].poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the pass-through did not mount at {path}")
                time.sleep(0.02)

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


class Shoal(Column):
    def __init__(self, base, binary, replicas):
        self.directory = base / f"shoal-{replicas}"
        super().__init__(f"Shoal, {replicas} replica{'s' if replicas > 1 else ''}", base / f"shoal-{replicas}-a",
                         base / f"shoal-{replicas}-b")
        self.binary, self.replicas, self.server = binary, replicas, None

    def start(self):
        for path in (self.path, self.other):
            path.mkdir()
        lines = run(self.binary, "up", "--dir", self.directory, "--replicas", self.replicas, "--mount", self.path,
                    "--mount", self.other, timeout=60).splitlines()
        self.server = next(line.split()[1] for line in lines if line.split()[0] == "meta")

    def mount_third(self, path):
        run(self.binary, "mount", self.server, path, timeout=60)

    def stop(self):
        if self.directory.exists():
            run(self.binary, "down", "--dir", self.directory, "--purge", "--yes", timeout=120)


class MooseFS(Column):
    """MooseFS as Debian has it and with its defaults, two copies: a script beside the repository runs it."""
    SCRIPT = REPOSITORY.parent / "shared/bench/moosefs.sh"
    PACKAGES = {"mfsmaster": "moosefs-master", "mfschunkserver": "moosefs-chunkserver", "mfsmount": "moosefs-client"}

    def __init__(self, base):
        if not self.SCRIPT.exists():
            raise SystemExit(f"bench: the peer needs {self.SCRIPT}, which starts and stops it")
        missing = [package for program, package in self.PACKAGES.items() if not shutil.which(program)]
        if missing:
            raise SystemExit(f"bench: the peer needs the Debian packages {' '.join(missing)}")
        self.directory = base / "moosefs"
        super().__init__("MooseFS, 2 copies", self.directory / "mnt1", self.directory / "mnt2")

    def start(self):
        # Its daemons keep the script's output open: it goes to a file, a pipe would never end.
        with open(self.directory.parent / "moosefs.out", "w") as output:
            subprocess.run([self.SCRIPT, "start", self.directory], stdin=subprocess.DEVNULL, stdout=output,
                           stderr=output, timeout=120, check=True)
        if not is_mounted(self.path) or not is_mounted(self.other):
            raise RuntimeError(f"the peer did not mount at {self.path} and {self.other}")

    def mount_third(self, path):
        port = int((self.directory / "etc/portbase").read_text()) + 2
        run(self.SCRIPT, "cli", self.directory, "mfsmount", path, "-o", f"mfsmaster=10.99.0.1,mfsport={port}",
            timeout=60)

    def stop(self):
        if self.directory.exists():
            run(self.SCRIPT, "stop", self.directory, timeout=120)
