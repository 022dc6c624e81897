import Glibc
import Testing

extension MountedTests {
    @Suite("Rename, seen from elsewhere", .serialized)
    struct ReplacementTests {
        @Test(
            "A name that is replaced again and again is there for every observer, on the same mount and on the other",
            arguments: ["file", "symlink"])
        func replaced(kind: String) throws {
            try Cluster.with { cluster in
                let script = """
                    import os, sys, time, threading, multiprocessing
                    kind, here, there = sys.argv[1:]
                    end = time.monotonic() + 2
                    def content(place, number):
                        if kind == "symlink":
                            os.symlink(f"t{number % 2}", place)
                        else:
                            with open(place, "w") as file: file.write(f"{number:08d}")
                    def replace():
                        number = 0
                        while time.monotonic() < end:
                            number += 1
                            content(here + "/new", number)
                            os.rename(here + "/new", here + "/name")
                        print("replaced", number)
                    def look(mount):
                        number = 0
                        while time.monotonic() < end:
                            number += 1
                            if kind == "symlink": os.readlink(mount + "/name")
                            with open(mount + "/name") as file: assert len(file.read()) == 8
                            os.stat(mount + "/name")
                        print("seen", number)
                    for number in (0, 1):
                        with open(f"{here}/t{number}", "w") as file: file.write("whatever")
                    content(here + "/name", 0)
                    calls = [(replace, ()), (look, (here,)), (look, (there,))]
                    workers = [multiprocessing.Process(target=call, args=words) for call, words in calls]
                    for worker in workers: worker.start()
                    for worker in workers: worker.join()
                    sys.exit(max(worker.exitcode for worker in workers))
                    """
                let output = try Command(["python3", "-c", script, kind, cluster.a, cluster.b]).wait(secondsMax: 60)
                #expect(output.isSuccess, "\(output.err)")
                print(output.out)
            }
        }

        @Test("A file that moves to and fro between two names has exactly one of them in every listing of either mount")
        func oneName() throws {
            try Cluster.with { cluster in
                let script = """
                    import os, sys, time, multiprocessing
                    here, there = sys.argv[1:]
                    end = time.monotonic() + 2
                    def move():
                        while time.monotonic() < end:
                            os.rename(here + "/d/one", here + "/d/two")
                            os.rename(there + "/d/two", there + "/d/one")
                    def look(mount):
                        while time.monotonic() < end:
                            names = os.listdir(mount + "/d")
                            assert len(names) == 1, names
                    os.mkdir(here + "/d")
                    open(here + "/d/one", "w").close()
                    calls = [(move, ()), (look, (here,)), (look, (there,))]
                    workers = [multiprocessing.Process(target=call, args=words) for call, words in calls]
                    for worker in workers: worker.start()
                    for worker in workers: worker.join()
                    sys.exit(max(worker.exitcode for worker in workers))
                    """
                let output = try Command(["python3", "-c", script, cluster.a, cluster.b]).wait(secondsMax: 60)
                #expect(output.isSuccess, "\(output.err)")
            }
        }

        @Test(
            "Names made, moved and removed in one directory from two mounts at once all end as their makers left them")
        func oneDirectory() throws {
            try Cluster.with { cluster in
                let script = """
                    import os, sys
                    mount, own = sys.argv[1:]
                    for number in range(150):
                        name = f"{mount}/d/{own}-{number}"
                        if number % 3: open(name, "x").close()
                        else: os.mkdir(name)
                        if number % 2: os.rename(name, name + "-moved")
                        elif number % 3: os.link(name, name + "-link")
                        else: os.rmdir(name)
                    """
                try cluster.bash("mkdir $A/d")
                let workers = try (0..<4).map { number in
                    try Command(["python3", "-c", script, cluster.mounts[number % 2], "\(number)"])
                }
                for worker in workers {
                    let output = worker.wait()
                    #expect(output.isSuccess, "\(output.err)")
                }
                // Of 150 numbers: 75 odd ones moved, 50 files linked (two names each), 25 directories removed.
                for mount in cluster.mounts {
                    let count = try cluster.bash("ls \(mount)/d | wc -l; stat -c %h \(mount)/d")
                    #expect(count.split(separator: "\n").map(String.init) == ["700", "102"], "names, links")
                }
            }
        }
    }
}
