import Glibc

extension LocalCluster {
    /// A mount may have much to write back.
    private static let unmountSecondsMax: Int64 = 120
    private static let stopSecondsMax: Int64 = 30

    /// Unmounts, then stops the metadata server, then the nodes: in this order it never sees a node go, and the cluster
    /// map stays as it is. Returns when all of them have ended. Harmless if nothing runs.
    ///
    /// - Parameter isForced: Detach mounts that are in use, and kill what does not end.
    package func down(isForced: Bool = false) throws(ClusterError) {
        var state = try state()
        let lock = try DirectoryLock(layout)
        defer { withExtendedLifetime(lock) {} }
        if !state.isAnythingRunning { report("nothing of \(layout.directory) is running") }
        while let mount = state.mounts.last {
            try unmount(mount, isForced: isForced)
            state.mounts.removeLast()
            try state.save(layout.statePath)
        }
        try stop([state.meta], isForced: isForced)
        state.meta.process = nil
        try stop(state.nodes, isForced: isForced)
        for index in state.nodes.indices { state.nodes[index].process = nil }
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

    private func unmount(_ mount: ClusterState.Mount, isForced: Bool) throws(ClusterError) {
        let running = mount.process.flatMap { $0.isRunning ? $0 : nil }
        let mountpoint = try Mountpoint(mount.path)
        if let entry = try MountTable().entry(at: mountpoint.path), entry.isShoal {
            try mountpoint.unmount(isForced: isForced, secondsMax: Self.unmountSecondsMax)
            report("unmounted \(mount.path)")
        } else if let running {
            // Unmounted by other means: the process is about to end; if it is not, it has nothing to wait for.
            running.signal(SIGTERM)
            try end(running, name: "the mount of \(mount.path)", isForced: isForced)
        }
    }

    /// All at once; they end in parallel.
    private func stop(_ servers: [ClusterState.Server], isForced: Bool) throws(ClusterError) {
        let running = servers.compactMap { server in server.process.map { (server.name, $0) } }.filter {
            $0.1.isRunning
        }
        for (_, process) in running { process.signal(SIGTERM) }
        for (name, process) in running {
            try end(process, name: name, isForced: isForced)
            report("stopped   \(name)")
        }
    }

    /// Waits for a process that was told to end. Never a second SIGTERM: that would stop it without its goodbye.
    private func end(_ process: ProcessIdentity, name: String, isForced: Bool) throws(ClusterError) {
        guard !process.waitForEnd(seconds: Self.stopSecondsMax) else { return }
        guard isForced else { throw .stillRunning(name, pid: process.pid, seconds: Self.stopSecondsMax) }
        report("killing   \(name): it has not ended after \(Self.stopSecondsMax) s")
        process.signal(SIGKILL)
        guard process.waitForEnd(seconds: Self.stopSecondsMax) else {
            throw .stillRunning(name, pid: process.pid, seconds: Self.stopSecondsMax)
        }
    }
}
