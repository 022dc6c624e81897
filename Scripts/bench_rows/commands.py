"""Commands, processes and caches, for columns and rows."""
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
MIB = 1 << 20


def run(*words, **options):
    """Runs a command that must succeed; its output is for the message if it does not."""
    result = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            timeout=options.pop("timeout", 900), **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: exit {result.returncode}: "
                           f"{(result.stderr or result.stdout).strip()[-400:]}")
    return result.stdout


def at_once(*works):
    """Calls each of `works` in a process of its own, all at the same time; all must succeed."""
    children = []
    for work in works:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work()
                status = 0
            except Exception as error:
                print(f"bench: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(status)
        children.append(child)
    # All are waited for, also after a failure.
    failed = [child for child in children if os.waitpid(child, 0)[1] != 0]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(works)} processes failed")


def is_mounted(path):
    with open("/proc/self/mountinfo") as table:
        return any(line.split()[4] == str(path) for line in table)


def process_that_serves(mountpoint):
    """The process that has `mountpoint` on its command line, as a word or, with MooseFS, as "(mounted on: ...)"."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                words = (entry / "cmdline").read_text().rstrip("\0").split("\0")
                if any(word == str(mountpoint) or word.endswith(f" {mountpoint})") for word in words):
                    return int(entry.name)
        except OSError:
            continue  # it has ended
    raise RuntimeError(f"no process serves {mountpoint}")


def drop_caches():
    os.sync()
    if os.geteuid() == 0:
        Path("/proc/sys/vm/drop_caches").write_text("3")
