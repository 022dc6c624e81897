import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// Calls of two mounts that could wait for each other: for locks that the kernel holds while a call waits for the mount,
    /// and for leases. The cluster's watchdog ends what hangs; docs/testing.md says where the other cases are.
    @Suite("What could wait for each other", .serialized)
    struct DeadlockTests {
        /// Runs the program on both mounts at once; each process prints the longest time that one of its rounds took.
        private func contend(_ cluster: Cluster, _ program: String, longestMax: Double) throws {
            let commands = try (0..<2).map { number in
                try Command(["python3", "-c", DeadlockTests.prelude + program, cluster.mounts[number], "\(number)"])
            }
            for command in commands {
                let output = command.wait(secondsMax: 90)
                #expect(output.isSuccess, "\(output.err)")
                let longest = try #require(Double(output.out.filter { $0 != "\n" }), "\(output.out)")
                #expect(longest < longestMax, "one round took \(longest) s")
                print("longest round: \(longest) s")
            }
        }

        private static let prelude = """
            import errno, os, sys, time
            mount, own = sys.argv[1], int(sys.argv[2])
            longest = 0
            def rounds(seconds, count=10**9):
                global longest
                end = time.monotonic() + seconds
                number = 0
                while time.monotonic() < end and number < count:
                    start = time.monotonic()
                    yield number
                    longest = max(longest, time.monotonic() - start)
                    number += 1

            """

        @Test("Opposite renames between two directories, of files, of directories, and of one name for another")
        func oppositeRenames() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    """
                    mkdir -p $A/one/0 $A/two/1 $A/one/deep $A/two/deep
                    touch $A/one/f0 $A/two/f1 $A/one/x $A/two/x
                    """)
                // Mount 0 moves its things from one to two and back while mount 1 moves its own the other way.
                try contend(
                    cluster,
                    """
                    import ctypes
                    libc = ctypes.CDLL(None, use_errno=True)
                    here, there = ("one", "two") if own == 0 else ("two", "one")
                    for number in rounds(3):
                        for name in (f"f{own}", str(own)):
                            os.rename(f"{mount}/{here}/{name}", f"{mount}/{there}/{name}")
                        exchange = [f"{mount}/{place}/x".encode() for place in (here, there)]
                        assert libc.renameat2(-100, exchange[0], -100, exchange[1], 2) == 0, ctypes.get_errno()
                        for name in (f"f{own}", str(own)):
                            os.stat(f"{mount}/{there}/{name}")
                            os.rename(f"{mount}/{there}/{name}", f"{mount}/{here}/{name}")
                    print(longest)
                    """, longestMax: 8)
                for mount in cluster.mounts {
                    let names = try cluster.bash("cd \(mount) && find one two | sort | tr '\\n' ' '")
                    #expect(names == "one one/0 one/deep one/f0 one/x two two/1 two/deep two/f1 two/x ")
                }
            }
        }

        @Test("A storm of creations in one directory: each name is made once, and nobody is held up")
        func creations() throws {
            try Cluster.with { cluster in
                try check(mkdir("\(cluster.a)/d", 0o755), "mkdir")
                let storm = """
                    import threading
                    made = [0] * 4
                    def make(thread):
                        for number in range(200):
                            open(f"{mount}/d/own-{own}-{thread}-{number}", "x").close()
                            try:
                                os.close(os.open(f"{mount}/d/shared-{number}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                                made[thread] += 1
                            except FileExistsError:
                                pass
                    for number in rounds(60, count=1):
                        threads = [threading.Thread(target=make, args=(thread,)) for thread in range(4)]
                        for thread in threads: thread.start()
                        for thread in threads: thread.join()
                    os.mkdir(f"{mount}/made-{own}-{sum(made)}")
                    print(longest)
                    """
                try contend(cluster, storm, longestMax: 60)
                for mount in cluster.mounts {
                    let counts = try cluster.bash(
                        "ls \(mount)/d | wc -l; ls -d \(mount)/made-* | awk -F- '{ sum += $NF } END { print sum }'")
                    #expect(
                        counts == "1800\n200\n", "2 x 4 x 200 names of one process each, 200 that one of all has made")
                }
            }
        }

        @Test(
            "Files that are open on one mount are removed, replaced and made anew on the other while they are written and read"
        )
        func removedWhileOpen() throws {
            try Cluster.with { cluster in
                try cluster.bash("for number in $(seq 0 3); do echo > $A/f$number; done")
                try contend(
                    cluster,
                    """
                    for number in rounds(3):
                        name = f"{mount}/f{number % 4}"
                        file = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
                        text = f"{own} {number}".encode().ljust(5000)
                        inode = os.fstat(file).st_ino
                        if number % 2:
                            try: os.unlink(name)
                            except FileNotFoundError: pass
                        else:
                            with open(f"{name}-new-{own}", "w") as new: new.write("new")
                            os.rename(f"{name}-new-{own}", name)
                        # Nobody else can come to it any more, but who has it open too and writes as much.
                        os.pwrite(file, text, 0)
                        seen = os.pread(file, 10000, 0)
                        assert len(seen) == 5000 and seen.split()[0] in (b"0", b"1"), seen[:20]
                        status = os.fstat(file)
                        assert status.st_ino == inode and status.st_size == 5000, status
                        os.fsync(file)
                        os.close(file)
                    print(longest)
                    """, longestMax: 8)
            }
        }

        @Test(
            "A recall while far more is being written than may be dirty: the other mount reads, and writes, in good time"
        )
        func recallDuringFlush() throws {
            try Cluster.with { cluster in
                let megabytes = Scale.isFull ? 2000 : 200
                let writer = try Command([
                    "python3", "-c",
                    """
                    import os, sys
                    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
                    for number in range(int(sys.argv[2])):
                        os.write(file, bytes([number % 251]) * (1 << 20))
                    os.close(file)
                    """, "\(cluster.a)/f", "\(megabytes)",
                ])
                let reader = """
                    while not os.path.exists(f"{mount}/f"): pass
                    count = 0
                    for number in rounds(120):
                        size = os.stat(f"{mount}/f").st_size
                        if size >= int(sys.argv[3]) << 20: break
                        file = os.open(f"{mount}/f", os.O_RDWR)
                        if size:
                            place = (size - 1) >> 20
                            seen = os.pread(file, 1, size - 1)
                            assert seen == bytes([place % 251]), (size, seen)
                            os.pwrite(file, seen, size - 1)
                            count += 1
                        os.close(file)
                    print(longest, count)
                    """
                let look = try Command(
                    ["python3", "-c", DeadlockTests.prelude + reader, cluster.b, "1", "\(megabytes)"])
                let (written, seen) = (writer.wait(), look.wait())
                #expect(written.isSuccess && seen.isSuccess, "\(written.err) \(seen.err)")
                let numbers = seen.out.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
                print("longest round: \(numbers)")
                try #require(numbers.count == 2)
                #expect(numbers[0] < 10, "one look took \(numbers[0]) s")
                #expect(numbers[1] > 5, "it must take the lease from a writer in the midst of it")
                let check = """
                    import sys
                    file = open(sys.argv[1], "rb")
                    for number in range(int(sys.argv[2])):
                        assert file.read(1 << 20) == bytes([number % 251]) * (1 << 20), number
                    assert not file.read(1)
                    """
                for mount in cluster.mounts {
                    let output = try Command(["python3", "-c", check, "\(mount)/f", "\(megabytes)"]).wait()
                    #expect(output.isSuccess, "\(output.err)")
                }
            }
        }

        @Test(
            "A mount whose process is stopped, with leases to write and names that its kernel shows, holds others up for a term"
        )
        func stopped() throws {
            try Cluster.with { cluster in
                try cluster.bash("mkdir $A/d && echo old > $A/d/f && touch $A/d/g && sync $A/d/f")
                // Leases for reading and writing, and what the kernel keeps under them.
                try cluster.bash("cat $A/d/f && stat $A/d/g && echo newer >> $A/d/f && sync $A/d/f && ls -l $A/d")
                let process = try #require(try cluster.state().mounts[0].process)
                try check(kill(process.pid, SIGSTOP), "kill")
                defer { kill(process.pid, SIGCONT) }
                let start = Clock.seconds
                // What is stopped still has its answers to give when it goes on.
                let waiting = try Command(["bash", "-c", "cat \(cluster.a)/d/f; ls \(cluster.a)/d"])
                try cluster.bash("echo newest >> $B/d/f && mv $B/d/g $B/d/h && cat $B/d/f", secondsMax: 40)
                let seconds = Clock.seconds - start
                print("held up by a stopped mount: \(seconds) s")
                #expect(seconds < 20)
                try check(kill(process.pid, SIGCONT), "kill")
                let output = waiting.wait(secondsMax: 30)
                #expect(output.isSuccess, "\(output)")
                let seen = try cluster.bash("cat $A/d/f; ls $A/d", secondsMax: 30)
                #expect(seen == "old\nnewer\nnewest\nf\nh\n")
            }
        }
    }
}
