import Glibc
import ShoalMountTable

extension LocalCluster {
    /// Unmounts, then stops the metadata server, then the nodes: in this order it never sees a node go, and the cluster
    /// map stays as it is. Returns when all of them have ended. Harmless if nothing runs, and when called again after
    /// a process has taken too long: it only waits on.
    ///
    /// - Parameter isForced: Detach mounts that are in use, and kill what does not end.
    package func down(isForced: Bool = false) throws(ClusterError) {
        // A wrong directory is an error before anything is made in it.
        _ = try state()
        let lock = try DirectoryLock(layout)
        defer { withExtendedLifetime(lock) {} }
        var state = try state()
        try adoptMounts(&state)
        if !state.isAnythingRunning { report("nothing of \(layout.directory) is running") }
        while !state.mounts.isEmpty {
            try unmountLast(of: &state, isForced: isForced)
            state.mounts.removeLast()
            try state.save(layout.statePath)
        }
        try stop([\.meta], of: &state, isForced: isForced)
        try stop(state.nodes.indices.map { \.nodes[$0] }, of: &state, isForced: isForced)
        try state.save(layout.statePath)
    }

    /// Deletes what `up` made, and the directory if nothing else is in it. Everything has been stopped before.
    package func purge() throws(ClusterError) {
        let state = try state()
        for name in state.nodes.map(\.name) + [state.meta.name, "logs"] {
            try DirectoryTree.remove(layout.data(of: name))
        }
        // The state goes last: until then another `purge` can finish the work.
        for path in [layout.lockPath, layout.statePath] {
            guard unlink(path) == 0 || errno == ENOENT else { throw .file(path, reason: TextFile.reason(errno)) }
        }
        guard rmdir(layout.directory) == 0 || errno == ENOTEMPTY || errno == EEXIST else {
            throw .file(layout.directory, reason: TextFile.reason(errno))
        }
    }

    /// Mounts of this cluster that were made by hand are unmounted as well: what they have buffered needs the nodes.
    private func adoptMounts(_ state: inout ClusterState) throws(ClusterError) {
        let source = "shoal@\(state.meta.address)#"
        for entry in try MountTable.current().entries where entry.isShoal && entry.source.hasPrefix(source) {
            guard !state.mounts.contains(where: { $0.path == entry.mountpoint }) else { continue }
            state.mounts.append(ClusterState.Mount(path: entry.mountpoint, process: entry.process))
        }
    }

    /// The mount's process ends when it has written back. Where the kernel keeps the mount alive although its name is
    /// gone (for another mount namespace, or for open files that are detached), a signal says that it is to end.
    private func unmountLast(of state: inout ClusterState, isForced: Bool) throws(ClusterError) {
        let last = state.mounts.count - 1
        let path = state.mounts[last].path
        let mountpoint = try Mountpoint(path)
        if let entry = try MountTable.current().entry(at: mountpoint.path), entry.isShoal {
            // Somebody may have mounted it anew, by hand.
            let serving = try mountpoint.detach(isForced: isForced)
            if let serving, serving != state.mounts[last].process { state.mounts[last].process = serving }
        }
        if let process = state.mounts[last].process {
            if !process.waitForEnd(seconds: limits.endOfMountSecondsMax) { try tell(\.mounts[last], of: &state) }
            try end(
                process, name: "the mount of \(path)", secondsMax: limits.writeBackSecondsMax, isForced: isForced)
        }
        report("unmounted \(path)")
    }

    /// Tells all of these servers at once, then waits: they end in parallel.
    private func stop(
        _ servers: [WritableKeyPath<ClusterState, ClusterState.Server>], of state: inout ClusterState, isForced: Bool
    ) throws(ClusterError) {
        let running = servers.filter { state[keyPath: $0].isRunning }
        for server in running { try tell(server, of: &state) }
        for server in running {
            guard let process = state[keyPath: server].process else { continue }
            let name = state[keyPath: server].name
            try end(process, name: name, secondsMax: limits.stopSecondsMax, isForced: isForced)
            report("stopped   \(name)")
        }
        for server in servers { state[keyPath: server].process = nil }
    }

    /// Tells a process to end; once only, also over several calls of `down`: a second signal would end it without its
    /// goodbye.
    private func tell(
        _ path: WritableKeyPath<ClusterState, some StoppableProcess>, of state: inout ClusterState
    ) throws(ClusterError) {
        guard let process = state[keyPath: path].process, process.isRunning else { return }
        guard state[keyPath: path].isStopping != true else { return }
        state[keyPath: path].isStopping = true
        try state.save(layout.statePath)
        process.signal(SIGTERM)
    }

    /// Waits for a process that was told to end.
    private func end(
        _ process: ProcessIdentity, name: String, secondsMax: Int64, isForced: Bool
    ) throws(ClusterError) {
        guard !process.waitForEnd(seconds: secondsMax) else { return }
        guard isForced else { throw .stillRunning(name, pid: process.pid, seconds: secondsMax) }
        report("killing   \(name): it has not ended after \(secondsMax) s")
        process.signal(SIGKILL)
        guard process.waitForEnd(seconds: limits.stopSecondsMax) else {
            throw .stillRunning(name, pid: process.pid, seconds: limits.stopSecondsMax)
        }
    }
}
