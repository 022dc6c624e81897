import Glibc
import Testing

/// Wrong input: one line on standard error that says what is wrong, and an exit code.
@Suite struct CommandLineTests {
    @Test(
        "A wrong command line is one line and exit code 64",
        arguments: [
            (["up", "--frobnicate"], "Unknown option '--frobnicate'"),
            (["frobnicate"], "frobnicate"),
            (["up", "--nodes", "0"], "--nodes is 1 to 64, not 0"),
            (["up", "--nodes", "three"], "three"),
            (["up", "--replicas", "9"], "--replicas is 1 to 8"),
            (["status", "--meta", "nowhere"], "nowhere"),
            (["status", "--meta", "127.0.0.1:1", "--dir", "x"], "leave one out"),
            (["node"], "--dir"),
            (["node", "--dir", "d", "--listen", "127.0.0.1:0", "--meta", "127.0.0.1:1", "--weight=-1"], "--weight"),
            (["mount", "127.0.0.1:1"], "mountpoint"),
            (["mount", "127.0.0.1:1", "/mnt", "--cache-policy", "mru"], "mru"),
            (["mount", "127.0.0.1:1", "/mnt", "--cache-size", "12X"], "12X"),
            (["down", "--log-level", "loud"], "loud"),
            (["status", "--ready-fd", "77"], "Unknown option"),
        ])
    func usage(_ arguments: [String], _ words: String) {
        let directory = TemporaryDirectory()
        let run = ShoalProgram(arguments, in: directory.path)
        #expect(run.exitCode == 64)
        expectOneLine(run, words)
    }

    @Test("Without a cluster, commands say where they looked and how to start one")
    func noCluster() {
        let directory = TemporaryDirectory()
        for command in ["status", "down"] {
            let run = ShoalProgram([command, "--dir", "\(directory.path)/none"], in: directory.path)
            #expect(run.exitCode == 1)
            expectOneLine(run, "there is no cluster here; start one with 'shoal up --dir \(directory.path)/none'")
        }
    }

    @Test("A directory that holds something else does not become a cluster's")
    func notEmpty() {
        let directory = TemporaryDirectory()
        close(open("\(directory.path)/letter.txt", O_CREAT | O_WRONLY, 0o600))
        let run = ShoalProgram(["up", "--dir", directory.path], in: directory.path)
        #expect(run.exitCode == 1)
        expectOneLine(run, "\(directory.path): not empty and not a cluster's directory")
    }

    @Test("A corrupt state file is named")
    func corruptState() {
        let directory = TemporaryDirectory()
        let path = "\(directory.path)/cluster.json"
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        _ = write(descriptor, "{\"for", 5)
        close(descriptor)
        for command in ["up", "down", "status"] {
            let run = ShoalProgram([command, "--dir", directory.path], in: directory.path)
            #expect(run.exitCode == 1)
            expectOneLine(run, "\(path): corrupt")
        }
    }

    @Test("A metadata server that does not answer is an error within seconds")
    func unreachable() {
        let directory = TemporaryDirectory()
        let run = ShoalProgram(["status", "--meta", "127.0.0.1:1"], in: directory.path)
        #expect(run.exitCode == 1)
        expectOneLine(run, "127.0.0.1:1: no metadata server answers")
    }

    @Test("A mountpoint that is missing, no directory, or taken is refused before anything is asked of the network")
    func mountpoints() {
        let directory = TemporaryDirectory()
        let missing = "\(directory.path)/missing"
        expectOneLine(
            ShoalProgram(["mount", "127.0.0.1:1", missing], in: directory.path), "\(missing): no such directory")
        expectOneLine(ShoalProgram(["mount", "127.0.0.1:1", "/etc/passwd"], in: directory.path), "not a directory")
        expectOneLine(ShoalProgram(["mount", "127.0.0.1:1", "/proc"], in: directory.path), "mounted here already")
        expectOneLine(ShoalProgram(["umount", directory.path], in: directory.path), "nothing is mounted here")
        expectOneLine(ShoalProgram(["umount", "/proc"], in: directory.path), "not a Shoal mount")
    }

    @Test("Every command has help with an abstract and examples, on standard output and with exit code 0")
    func help() {
        let directory = TemporaryDirectory()
        for command in [
            "up", "down", "status", "meta", "node", "mount", "umount", "put", "get", "ls", "rm", "stat", "where",
        ] {
            let run = ShoalProgram([command, "--help"], in: directory.path)
            #expect(run.exitCode == 0 && run.errors.isEmpty)
            #expect(run.output.contains("OVERVIEW:") && run.output.contains("EXAMPLES"), "\(command)")
        }
        #expect(ShoalProgram(["--version"], in: directory.path).output.hasPrefix("shoal "))
    }

    private func expectOneLine(_ run: ShoalProgram, _ words: String, at location: SourceLocation = #_sourceLocation) {
        #expect(run.exitCode != 0, sourceLocation: location)
        #expect(run.errors.hasPrefix("shoal: ") && run.errors.contains(words), sourceLocation: location)
        #expect(run.errors.count { $0 == "\n" } == 1 && run.errors.hasSuffix("\n"), sourceLocation: location)
    }
}
