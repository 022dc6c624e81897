import ShoalTestSupport
import Glibc
import Testing

extension MountedTests {
    @Suite("Attributes", .serialized)
    struct AttributeTests {
        @Test("A write or O_TRUNC by another than root takes set-ID bits, at once for both mounts; root's leaves them")
        func setID() throws {
            try Cluster.with { cluster in
                let script = """
                    import os, sys
                    a, b = sys.argv[1:]
                    os.chmod(os.path.dirname(a), 0o755)
                    def as_nobody(call):
                        child = os.fork()
                        if child == 0:
                            os.setgroups([]); os.setgid(65534); os.setuid(65534)
                            call()
                            os._exit(0)
                        assert os.waitpid(child, 0)[1] == 0
                    def write(path, flags=0):
                        file = os.open(path, os.O_WRONLY | flags)
                        if not flags: os.write(file, b"x")
                        os.close(file)
                    for flags in (0, os.O_TRUNC):
                        for mode, left in ((0o4777, 0o777), (0o2777, 0o777), (0o6777, 0o777), (0o2767, 0o767)):
                            path = f"/f-{flags}-{mode:o}"
                            with open(a + path, "w") as file: file.write("content")
                            os.chmod(a + path, mode)
                            write(a + path, flags)
                            assert os.stat(b + path).st_mode & 0o7777 == mode, "root keeps them"
                            as_nobody(lambda: write(b + path, flags))
                            assert os.stat(b + path).st_mode & 0o7777 == left, (path, oct(os.stat(b + path).st_mode))
                            assert os.stat(a + path).st_mode & 0o7777 == left
                    """
                let output = try Command(["python3", "-c", script, cluster.a, cluster.b]).wait(secondsMax: 60)
                #expect(output.isSuccess, "\(output.err)")
            }
        }

        @Test("Reading moves the access time as relatime does, and nothing else; a time set by hand stays")
        func accessTimes() throws {
            try Cluster.with { cluster in
                let script = """
                    import os, sys
                    a, b = sys.argv[1:]
                    with open(a + "/f", "w") as file: file.write("content")
                    os.utime(a + "/f", ns=(10**18, os.stat(a + "/f").st_mtime_ns))
                    before = os.stat(b + "/f")
                    open(b + "/f").read()
                    after = os.stat(b + "/f")
                    assert after.st_atime_ns > before.st_mtime_ns, "read: not older than the last change"
                    assert (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)
                    open(b + "/f").read()
                    assert os.stat(b + "/f").st_atime_ns == after.st_atime_ns, "read again: new enough"
                    os.chmod(a + "/f", 0o600)
                    assert os.stat(a + "/f").st_atime_ns == after.st_atime_ns, "came along with the recalled lease"
                    os.utime(a + "/f", ns=(5, 7))
                    assert os.stat(b + "/f").st_atime_ns == 5
                    """
                let output = try Command(["python3", "-c", script, cluster.a, cluster.b]).wait(secondsMax: 60)
                #expect(output.isSuccess, "\(output.err)")
            }
        }

        @Test("fstat(2) of what was removed while it was open shows no links: files, directories, FIFOs")
        func removed() throws {
            try Cluster.with(mounts: 1) { cluster in
                let script = """
                    import os, sys
                    os.chdir(sys.argv[1])
                    os.mkdir("d"); os.mkfifo("p"); open("f", "w").close()
                    opened = [os.open("d", os.O_RDONLY), os.open("p", os.O_RDWR), os.open("f", os.O_RDONLY)]
                    os.rmdir("d"); os.unlink("p"); os.unlink("f")
                    assert [os.fstat(file).st_nlink for file in opened] == [0, 0, 0]
                    """
                let output = try Command(["python3", "-c", script, cluster.a]).wait(secondsMax: 60)
                #expect(output.isSuccess, "\(output.err)")
            }
        }

        @Test(
            "The longest file is 16 PiB less a chunk: EFBIG past it, a short write across; its space comes back at once"
        )
        func longest() throws {
            try Cluster.with { cluster in
                let path = "\(cluster.a)/long"
                let file = try check(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644), "open")
                defer { close(file) }
                let end = (1 << 54) - (1 << 22)
                #expect(pwrite(file, "abc", 3, end) == -1)
                #expect(errno == EFBIG)
                #expect(ftruncate(file, end + 1) == -1)
                #expect(errno == EFBIG)
                #expect(pwrite(file, "abc", 3, end - 2) == 2)
                var status = stat()
                try check(stat("\(cluster.b)/long", &status), "stat")
                #expect(status.st_size == end)
                try check(ftruncate(file, 0), "ftruncate")
                try cluster.bash("until $SHOAL status --dir $DIR | grep -q ' 0 to reclaim'; do :; done", secondsMax: 30)
            }
        }
    }
}
