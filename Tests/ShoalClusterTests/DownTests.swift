import Glibc
import ShoalCluster
import Testing

/// `down` with processes that take their time. They are shells that note each SIGTERM and go on.
@Suite struct DownTests {
    private static func limits() -> LocalClusterLimits {
        var limits = LocalClusterLimits()
        limits.stopSecondsMax = 1
        limits.endOfMountSecondsMax = 0
        limits.writeBackSecondsMax = 1
        return limits
    }

    /// Starts the shell, and returns when it notes signals.
    private func start(_ directory: String) throws -> ProcessIdentity {
        var ends: [CInt] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        // The threads that run tests have signals blocked; a shell is not to inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let script = "trap 'echo told >> \(directory)/told' TERM; echo; while :; do read line < \(directory)/fifo; done"
        #expect(mkfifo("\(directory)/fifo", 0o600) == 0)
        let command: [String] = ["bash", "-c", script]
        var words: [UnsafeMutablePointer<CChar>?] = command.map { word in strdup(word) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        #expect(posix_spawnp(&pid, "bash", &actions, &attributes, &words, environ) == 0)
        var byte: UInt8 = 0
        #expect(read(ends[0], &byte, 1) == 1)
        return try #require(ProcessIdentity(runningAs: pid))
    }

    /// And reaps it: the testing library's exit tests wait for any child, and would find this one for ever.
    private func end(_ process: ProcessIdentity) {
        process.signal(SIGKILL)
        while waitpid(process.pid, nil, 0) < 0, errno == EINTR {}
    }

    private func told(_ directory: String) throws -> Int {
        try TextFile.read("\(directory)/told")?.count { $0 == "\n" } ?? 0
    }

    @Test("A process that is slow to end is told once, however often down is called; --force kills it")
    func toldOnce() throws {
        let directory = TemporaryDirectory()
        let process = try start(directory.path)
        defer { end(process) }
        var state = ClusterState(
            replicas: 1, meta: ClusterState.Server(name: "meta", port: 7600),
            nodes: [ClusterState.Server(name: "node1", port: 7601, process: process)])
        let path = "\(directory.path)/cluster.json"
        try state.save(path)
        let cluster = try LocalCluster(directory: directory.path, limits: Self.limits()) { _ in }
        for _ in 0..<2 {
            #expect(throws: ClusterError.stillRunning("node1", pid: process.pid, seconds: 1)) { try cluster.down() }
            state = try #require(try ClusterState.load(path))
            #expect(state.nodes[0].process == process && state.nodes[0].isStopping == true)
        }
        #expect(try told(directory.path) == 1)
        try cluster.down(isForced: true)
        #expect(!process.isRunning)
        #expect(try told(directory.path) == 1)
        state = try #require(try ClusterState.load(path))
        #expect(state.nodes[0].process == nil && state.nodes[0].isStopping == nil)
    }

    @Test("A mount's process that outlives the mount is told once as well")
    func mount() throws {
        let directory = TemporaryDirectory()
        let process = try start(directory.path)
        defer { end(process) }
        var state = ClusterState(
            replicas: 1, meta: ClusterState.Server(name: "meta", port: 7600),
            nodes: [ClusterState.Server(name: "node1", port: 7601)])
        state.mounts = [ClusterState.Mount(path: directory.path, process: process)]
        try state.save("\(directory.path)/cluster.json")
        let cluster = try LocalCluster(directory: directory.path, limits: Self.limits()) { _ in }
        let error = ClusterError.stillRunning("the mount of \(directory.path)", pid: process.pid, seconds: 1)
        for _ in 0..<2 { #expect(throws: error) { try cluster.down() } }
        #expect(try told(directory.path) == 1)
        try cluster.down(isForced: true)
        #expect(!process.isRunning)
    }
}
