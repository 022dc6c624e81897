import ShoalClient
import ShoalTestSupport
import ShoalTypes

/// The end of a run.
extension SimulationRun {
    /// Everything ends, is synced, survives the loss of all power, and then it is quiet.
    func settle() throws {
        let isOver = clock.run(for: SimulationRun.patience) {
            self.noteSessions()
            return self.underWay.isEmpty && self.isWhole
        }
        try require(isOver, "no end of \(underWay.values.sorted()), or the nodes do not get in sync")
        for mount in mounts { try sync(mount) }
        if random.chance(1, in: 2) {
            noteFault("all lose power", of: "")
            for mount in mounts {
                mount.kill()
                forget(mount)
            }
            for node in nodes {
                try node.losePower(for: .milliseconds(Int64.random(in: 1...500, using: &random)), using: &random)
            }
            metadata.losePower(for: .milliseconds(Int64.random(in: 1...500, using: &random)), using: &random)
            try addMount()
        }
        for mount in mounts { readAll(mount) }
        try require(
            clock.run(for: SimulationRun.patience) { self.underWay.isEmpty }, "no end of \(underWay.values.sorted())")
        clock.run(for: .seconds(20))
        let before = requestCount
        clock.run(for: .seconds(10))
        let count = requestCount - before
        // Each second: a heartbeat of the space, a look at what is to be deleted.
        if count > 100 { complain("\(count) requests in ten seconds in which nobody asks for anything") }
    }

    func sync(_ mount: SimulatedMount) throws {
        for file in Array(files.indices) + [Histories.logFile] {
            guard var error = try syncOnce(mount, file) else { continue }
            // An error of an earlier write is told once.
            if harmed.contains(mount.name) {
                guard let second = try syncOnce(mount, file) else { continue }
                error = second
            }
            throw Stuck(description: "an fsync of \(mount.name) fails when all is well: \(error)")
        }
    }

    /// - Returns: Nil if it has succeeded.
    private func syncOnce(_ mount: SimulatedMount, _ file: Int) throws -> FileError? {
        let begin = begin("fsync", by: mount)
        var result: Result<Void, FileError>?
        mount.client.sync(inode(of: file)) { result = $0 }
        try require(clock.run(for: SimulationRun.patience) { result != nil }, "no end of an fsync")
        _ = end(begin, by: mount)
        noteSessions()
        if case .failure(let error)? = result {
            lost(mount, file)
            return error
        }
        histories.synced(file, by: mount.name, since: begin)
        return nil
    }
}
