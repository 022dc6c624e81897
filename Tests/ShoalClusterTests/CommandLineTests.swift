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

    @Test("More replicas than nodes are refused, and nothing is made")
    func tooFewNodes() {
        let directory = TemporaryDirectory()
        let path = "\(directory.path)/new"
        for words in [["--nodes", "3", "--replicas", "5"], ["--replicas", "4"]] {
            let run = ShoalProgram(["up", "--dir", path] + words, in: directory.path)
            expectOneLine(run, "\(words[words.count - 1]) replicas need")
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test("A server that may not listen where it is told touches nothing", arguments: ["meta", "node"])
    func listening(_ command: String) {
        let directory = TemporaryDirectory()
        let data = "\(directory.path)/data"
        for (address, words) in [("0.0.0.0:0", "secret"), ("no.such.host.invalid:1", "not an address")] {
            var arguments = [command, "--dir", data, "--listen", address]
            if command == "node" { arguments += ["--meta", "127.0.0.1:1"] }
            expectOneLine(ShoalProgram(arguments, in: directory.path), words)
            #expect(access(data, F_OK) != 0, "nothing was made")
        }
    }

    @Test("A port in use is found before anything is made", arguments: ["meta", "node"])
    func portInUse(_ command: String) throws {
        let directory = TemporaryDirectory()
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #expect(bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0)
                #expect(getsockname(descriptor, $0, &length) == 0)
            }
        }
        let taken = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        let data = "\(directory.path)/data"
        var arguments = [command, "--dir", data, "--listen", taken]
        if command == "node" { arguments += ["--meta", "127.0.0.1:1"] }
        expectOneLine(ShoalProgram(arguments, in: directory.path), "\(taken): the port is in use")
        #expect(access(data, F_OK) != 0, "nothing was made")
    }

    @Test("A server leaves alone a directory that holds something else", arguments: ["meta", "node"])
    func foreignDirectory(_ command: String) throws {
        let directory = TemporaryDirectory()
        let data = TemporaryDirectory()
        close(open("\(data.path)/letter.txt", O_CREAT | O_WRONLY, 0o600))
        var arguments = [command, "--dir", data.path, "--listen", "127.0.0.1:0"]
        if command == "node" { arguments += ["--meta", "127.0.0.1:1"] }
        expectOneLine(ShoalProgram(arguments, in: directory.path), "\(data.path) is not empty and not a")
        for (name, text) in [("identity", "shoal cucumber\n"), ("identity", "")] {
            let file = open("\(data.path)/\(name)", O_CREAT | O_WRONLY | O_TRUNC, 0o600)
            _ = write(file, text, text.utf8.count)
            close(file)
            expectOneLine(ShoalProgram(arguments, in: directory.path), "identity is corrupt")
        }
        for name in ["lock", "chunks", "store"] { #expect(access("\(data.path)/\(name)", F_OK) != 0) }
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
