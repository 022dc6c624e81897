import Glibc
import Testing

extension MountedTests {
    @Suite("Wrong input", .serialized)
    struct WrongInputTests {
        /// Ends with a failure and one line on standard error that says `part`. Servers log there too, before it.
        private func expectRefusal(_ words: [String], says part: String, _ location: SourceLocation = #_sourceLocation)
            throws
        {
            let output = try Command([Cluster.binary] + words).wait(secondsMax: 60)
            let command = Comment(rawValue: "shoal \(words.joined(separator: " ")): \(output.err)")
            #expect(output.status != 0 && output.status < 128, command, sourceLocation: location)
            let lines = output.err.split(separator: "\n")
            let complaints = lines.filter { $0.hasPrefix("shoal: ") }
            #expect(complaints.count == 1 && lines.last == complaints.first, command, sourceLocation: location)
            #expect(["node", "meta"].contains(words[0]) || lines.count == 1, command, sourceLocation: location)
            #expect(
                complaints.first?.lowercased().contains(part.lowercased()) == true, command, sourceLocation: location)
        }

        @Test("Wrong command lines answer with one line and a failure")
        func commandLines() throws {
            let directory = try TemporaryDirectory.make()
            defer { removeTree(directory) }
            try expectRefusal(["frobnicate"], says: "frobnicate")
            try expectRefusal(["up", "--nonsense"], says: "--nonsense")
            try expectRefusal(["up", "--replicas", "zero"], says: "zero")
            try expectRefusal(["mount", "nowhere", "/tmp"], says: "nowhere")
            try expectRefusal(["status", "--meta", "127.0.0.1:99999"], says: "127.0.0.1:99999")
            try expectRefusal(["node", "--dir", directory], says: "listen")
            try expectRefusal(["meta", "--dir", directory, "--listen", "0.0.0.0:0"], says: "secret")
            try expectRefusal(["down", "--dir", "/nonexistent"], says: "no cluster")
        }

        private func removeTree(_ path: String) {
            do { try Command.bash("rm -rf -- \"$P\"", environment: ["P": path]) } catch { Issue.record(error) }
        }

        @Test("Mountpoints that are missing, busy or no directories, and servers that do not answer, are named")
        func mounts() throws {
            try Cluster.with(mounts: 1) { cluster in
                let (meta, local) = (try cluster.state().meta.address, "\(cluster.root)/local")
                try cluster.bash("touch $T/file && mkdir $T/dir")
                try expectRefusal(["mount", meta, "\(local)/missing"], says: "\(local)/missing")
                try expectRefusal(["mount", meta, "\(local)/file"], says: "directory")
                try expectRefusal(["mount", meta, cluster.a], says: "mounted")
                try expectRefusal(["mount", meta, "\(local)/dir", "-o", "nonsense"], says: "nonsense")
                try expectRefusal(["umount", "\(local)/dir"], says: "nothing is mounted")
                try expectRefusal(["mount", "127.0.0.1:1", "\(local)/dir"], says: "127.0.0.1:1")
                try expectRefusal(["status", "--meta", "127.0.0.1:1"], says: "127.0.0.1:1")
                try expectRefusal(["up", "--dir", local], says: "not empty")
                try expectRefusal(["up", "--dir", cluster.directory, "--replicas", "3"], says: "2 replicas")
            }
        }

        @Test("A port in use, another cluster's directory, and a corrupt identity are refused")
        func servers() throws {
            try Cluster.with(nodes: 1, replicas: 1, mounts: 1) { other in
                let foreign = "\(other.directory)/node1"
                try other.down()
                try Cluster.with(nodes: 1, replicas: 1, mounts: 1) { cluster in
                    let state = try cluster.state()
                    let local = "\(cluster.root)/local"
                    let anyPort = ["--listen", "127.0.0.1:0"]
                    try expectRefusal(["meta", "--dir", "\(local)/m", "--listen", state.meta.address], says: "in use")
                    try expectRefusal(
                        ["node", "--dir", "\(local)/n", "--listen", state.meta.address, "--meta", state.meta.address],
                        says: "in use")
                    try expectRefusal(
                        ["node", "--dir", foreign, "--meta", state.meta.address] + anyPort, says: "cluster")
                    try expectRefusal(
                        ["node", "--dir", "\(cluster.directory)/node1", "--meta", state.meta.address] + anyPort,
                        says: "in use")
                    try expectRefusal(["meta", "--dir", "\(cluster.directory)/meta"] + anyPort, says: "in use")
                    try cluster.bash("mkdir $T/bad && head -c 100 /dev/urandom > $T/bad/identity")
                    try expectRefusal(
                        ["node", "--dir", "\(local)/bad", "--meta", state.meta.address] + anyPort, says: "identity")
                    try expectRefusal(
                        ["node", "--dir", "\(local)/n2", "--meta", "127.0.0.1:1"] + anyPort, says: "127.0.0.1:1")
                }
            }
        }
    }
}
