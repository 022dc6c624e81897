import Glibc
import Logging
import ShoalTransport
import ShoalTypes
import ShoalWire

extension LocalCluster {
    package struct UpOptions: Sendable {
        /// nil: as many as there are, 3 in a new cluster.
        package var nodes: Int?
        /// nil: what the cluster has; in a new one 2, or 1 with a single node.
        package var replicas: Int?
        package var mounts: [String] = []
        package init() {}
    }

    private static let nodesDefault = 3
    private static let replicasDefault = 2

    /// Starts what is not running, makes the cluster first if there is none, and returns when all of it answers. What
    /// runs is left alone. Everything started stays if a later part fails.
    package func up(_ options: UpOptions) throws(ClusterError) -> ClusterState {
        if let nodes = options.nodes, !(1...Self.nodesMax).contains(nodes) { throw .tooManyNodes(nodes) }
        // What is wrong is an error before anything is made.
        _ = try knownState(options)
        try layout.make()
        let lock = try DirectoryLock(layout)
        defer { withExtendedLifetime(lock) {} }

        // Another `up` may have made a cluster before this one had the lock.
        let known = try knownState(options)
        var state: ClusterState
        if let known { state = known } else { state = try newState(options) }
        try addNodes(options.nodes, to: &state)
        try state.save(layout.statePath)
        try startMetadata(&state)
        try startNodes(&state)
        try waitForNodes(state)
        try startMounts(options.mounts, &state)
        return state
    }

    /// What is here; nil in a directory that can become a cluster's.
    private func knownState(_ options: UpOptions) throws(ClusterError) -> ClusterState? {
        guard let known = try ClusterState.load(layout.statePath) else {
            try checkUnused()
            let (nodes, replicas) = sizes(options)
            guard replicas <= nodes else { throw .tooFewNodes(nodes, replicas: replicas) }
            return nil
        }
        if let replicas = options.replicas, replicas != known.replicas {
            throw .replicasFixed(directory: layout.directory, have: known.replicas, asked: replicas)
        }
        return known
    }

    /// A directory that somebody uses for something else must not become a cluster's.
    private func checkUnused() throws(ClusterError) {
        guard access(layout.directory, F_OK) == 0 || errno != ENOENT else { return }
        // An earlier `up` that failed at once leaves these.
        let ours: Set<String> = ["lock", "logs", "cluster.json.new"]
        guard try DirectoryTree.names(in: layout.directory).allSatisfy(ours.contains) else {
            throw .notEmpty(layout.directory)
        }
    }

    /// Of a new cluster.
    private func sizes(_ options: UpOptions) -> (nodes: Int, replicas: Int) {
        let nodes = options.nodes ?? Self.nodesDefault
        return (nodes, options.replicas ?? min(nodes, Self.replicasDefault))
    }

    private func newState(_ options: UpOptions) throws(ClusterError) -> ClusterState {
        let meta = ClusterState.Server(name: "meta", port: try FreePort.choose(for: layout.directory, notIn: []))
        return ClusterState(replicas: sizes(options).replicas, meta: meta, nodes: [])
    }

    private func addNodes(_ asked: Int?, to state: inout ClusterState) throws(ClusterError) {
        let wanted = asked ?? (state.nodes.isEmpty ? Self.nodesDefault : state.nodes.count)
        if wanted < state.nodes.count {
            report("nodes     \(state.nodes.count), not \(wanted): a node that holds data is not taken away by 'up'")
        }
        while state.nodes.count < wanted {
            let taken = Set(state.nodes.map(\.port) + [state.meta.port])
            let port = try FreePort.choose(for: layout.directory, notIn: taken)
            state.nodes.append(ClusterState.Server(name: "node\(state.nodes.count + 1)", port: port))
        }
    }

    private func startMetadata(_ state: inout ClusterState) throws(ClusterError) {
        guard try !reportIfRunning(state.meta) else { return }
        let process = background(
            state.meta, ["meta", "--replicas", "\(state.replicas)"], data: layout.data(of: state.meta.name))
        let starting = try process.start()
        state.meta.process = starting.identity
        try state.save(layout.statePath)
        try starting.wait()
        reportStarted(state.meta)
    }

    private func startNodes(_ state: inout ClusterState) throws(ClusterError) {
        for index in state.nodes.indices {
            if try reportIfRunning(state.nodes[index]) { continue }
            let node = state.nodes[index]
            let process = background(node, ["node", "--meta", state.meta.address], data: layout.data(of: node.name))
            let starting = try process.start()
            state.nodes[index].process = starting.identity
            try state.save(layout.statePath)
            try starting.wait()
            reportStarted(state.nodes[index])
        }
    }

    private func background(_ server: ClusterState.Server, _ command: [String], data: String) -> BackgroundProcess {
        let options = ["--dir", data, "--listen", server.address, "--log-level", "\(logLevel)"]
        return BackgroundProcess(
            name: server.name, arguments: command + options, log: layout.log(of: server.name))
    }

    /// Returns when the metadata server counts every node as up.
    private func waitForNodes(_ state: ClusterState) throws(ClusterError) {
        let query = MetadataQuery(HostPort(host: "127.0.0.1", port: state.meta.port), logger: Logger(label: "up"))
        let addresses = Set(state.nodes.map(\.address))
        let deadline = MonotonicClock.now + Interval.seconds(limits.joinSecondsMax)
        while true {
            do throws(ClusterError) {
                let up = try query.clusterStatus().map.nodes.count { $0.isUp && addresses.contains($0.address) }
                if up == addresses.count { return }
                guard MonotonicClock.now < deadline else {
                    throw .nodesMissing(expected: addresses.count, up: up, logs: layout.logDirectory)
                }
            } catch {
                // It answered before; on a busy machine one answer may come late.
                guard case .metadataUnreachable = error, state.meta.isRunning, MonotonicClock.now < deadline else {
                    throw error
                }
            }
            poll(nil, 0, 20)
        }
    }

    /// The mounts asked for, and those that were there and have lost their process.
    private func startMounts(_ asked: [String], _ state: inout ClusterState) throws(ClusterError) {
        for path in asked {
            try ClusterLayout.makeDirectories(try ClusterLayout.absolute(path))
            let path = try ClusterLayout.absolute(path)
            if !state.mounts.contains(where: { $0.path == path }) {
                state.mounts.append(ClusterState.Mount(path: path))
            }
        }
        for index in state.mounts.indices {
            let path = state.mounts[index].path
            if let process = try running(state.mounts[index], "the mount of \(path)") {
                report("mount     \(path)  process \(process.pid)  (was running)")
                continue
            }
            let mountpoint = try Mountpoint(path)
            if try mountpoint.isDead() { try mountpoint.detach(isForced: true) }
            try mountpoint.checkFree()
            let process = BackgroundProcess(
                name: "the mount of \(path)",
                arguments: ["mount", state.meta.address, path, "--foreground", "--log-level", "\(logLevel)"],
                log: layout.log(of: "mount" + path.replacing("/", with: "-")))
            let starting = try process.start()
            state.mounts[index].process = starting.identity
            try state.save(layout.statePath)
            do throws(ClusterError) { try starting.wait() } catch {
                // Otherwise every later `up` would try it again.
                state.mounts.remove(at: index)
                try state.save(layout.statePath)
                throw error
            }
            report("mount     \(path)  process \(starting.identity.pid)")
        }
        try state.save(layout.statePath)
    }

    /// The process, if it is to stay. One that a `down` has told to end is waited for.
    private func running(_ one: some StoppableProcess, _ name: String) throws(ClusterError) -> ProcessIdentity? {
        guard let process = one.process, process.isRunning else { return nil }
        guard one.isStopping == true else { return process }
        guard process.waitForEnd(seconds: limits.stopSecondsMax) else {
            throw .stillRunning(name, pid: process.pid, seconds: limits.stopSecondsMax)
        }
        return nil
    }

    private func reportIfRunning(_ server: ClusterState.Server) throws(ClusterError) -> Bool {
        guard let process = try running(server, server.name) else { return false }
        report("\(server.label)\(server.address)  process \(process.pid)  (was running)")
        return true
    }

    private func reportStarted(_ server: ClusterState.Server) {
        report("\(server.label)\(server.address)  process \(server.process?.pid ?? 0)")
    }
}

extension ClusterState.Server {
    /// The name, as wide as the column.
    fileprivate var label: String { name + String(repeating: " ", count: max(1, 10 - name.count)) }
}
