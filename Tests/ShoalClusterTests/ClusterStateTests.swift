import Glibc
import ShoalCluster
import Testing

@Suite struct ClusterStateTests {
    private func sample() -> ClusterState {
        var state = ClusterState(
            replicas: 2, meta: ClusterState.Server(name: "meta", port: 7600),
            nodes: [ClusterState.Server(name: "node1", port: 7601)])
        state.meta.process = ProcessIdentity(pid: 42, startTicks: 17, bootID: "boot")
        state.mounts = [ClusterState.Mount(path: "/mnt/ä \"b\"")]
        return state
    }

    @Test("What is saved is loaded, and an absent file is no state")
    func roundTrip() throws {
        let directory = TemporaryDirectory()
        let path = "\(directory.path)/cluster.json"
        #expect(try ClusterState.load(path) == nil)
        try sample().save(path)
        #expect(try ClusterState.load(path) == sample())
        try sample().save(path)
        #expect(access("\(path).new", F_OK) != 0, "the temporary file is gone")
    }

    @Test(
        "A file that is not what was saved is corrupt, one of a newer format is unsupported",
        arguments: ["", "{", "[]", "{\"format\": 1}", "{\"format\": \"x\"}", "\0\0\0"])
    func corrupt(_ text: String) throws {
        let directory = TemporaryDirectory()
        let path = "\(directory.path)/cluster.json"
        try TextFile.replace(path, with: text)
        #expect(throws: ClusterError.corruptState(path, reason: "not the JSON that 'shoal up' writes")) {
            try ClusterState.load(path)
        }
        try TextFile.replace(path, with: "{\"format\": 2}")
        #expect(throws: ClusterError.unsupportedState(path, format: 2)) { try ClusterState.load(path) }
    }

    @Test("Names that would lead out of the directory are refused", arguments: ["../x", "", ".", "a/b", "meta"])
    func names(_ name: String) throws {
        let directory = TemporaryDirectory()
        let path = "\(directory.path)/cluster.json"
        var state = sample()
        state.nodes[0].name = name
        try state.save(path)
        #expect(throws: ClusterError.corruptState(path, reason: "its numbers or names make no sense")) {
            try ClusterState.load(path)
        }
    }

    @Test("A process is known by its start, not by its number alone")
    func processIdentity() throws {
        let own = try #require(ProcessIdentity(runningAs: getpid()))
        #expect(own.isRunning)
        #expect(own == ProcessIdentity(runningAs: getpid()))
        #expect(!ProcessIdentity(pid: own.pid, startTicks: own.startTicks + 1, bootID: own.bootID).isRunning)
        #expect(!ProcessIdentity(pid: own.pid, startTicks: own.startTicks, bootID: "another boot").isRunning)
        #expect(!sample().isAnythingRunning)
    }

    @Test("A path is made absolute also where its end does not exist yet")
    func absolute() throws {
        let directory = TemporaryDirectory()
        #expect(
            try ClusterLayout.absolute("\(directory.path)/./a/../a//b/") == "\(directory.path)/a//b"
                || ClusterLayout.absolute("\(directory.path)/new") == "\(directory.path)/new")
        #expect(try ClusterLayout.absolute("/") == "/")
    }
}
