import CLinux
import Dispatch
import FoundationEssentials
import Glibc
import ShoalCluster
import Synchronization

/// Kills processes of a cluster, at random moments, and starts them again with `shoal up`: one at a time, and the next when
/// every replica is in sync again, since two copies stand one loss.
final class Disturbance: Sendable {
    enum Victims: String, CaseIterable { case node, meta, all }

    private struct State {
        var random: Random
        var isStopping = false
        var failure: String?
        var kills: [String: Int] = [:]
        /// What was done, and when (`Words.now`).
        var events: [(time: Int, what: String)] = []
    }

    private let directory: String
    private let victims: Victims
    private let state: Mutex<State>
    private let wakeUp = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ victims: Victims, directory: String, seed: UInt64) throws {
        (self.victims, self.directory) = (victims, directory)
        state = Mutex(State(random: Random(seed: seed)))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            {
                Unmanaged<Disturbance>.fromOpaque($0!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard code == 0 else { throw Broken("starting a thread", -Int(code)) }
    }

    /// What it could not do, or what did not come back.
    var failure: String? { state.withLock { $0.failure } }
    var kills: [String: Int] { state.withLock { $0.kills } }
    /// Everything that there is to kill was killed.
    var hasKilledAll: Bool {
        let kills = kills
        return (victims == .meta || kills.keys.contains { $0 != "meta" }) && (victims == .node || kills["meta"] != nil)
    }

    /// What was done from `start` on, with times in microseconds since then.
    func events(since start: Int) -> [String] {
        state.withLock { state in
            state.events.filter { $0.time >= start }.map { "  \(($0.time - start) / 1000) us  \($0.what)" }
        }
    }

    /// Returns when everything runs and is in sync.
    func stop() {
        state.withLock { $0.isStopping = true }
        wakeUp.signal()
        ended.wait()
    }

    // MARK: The thread

    private func run() {
        defer { ended.signal() }
        do {
            while !state.withLock({ $0.isStopping }) {
                try waitUntilWhole()
                pause(millisecondsMax: 3000)
                if state.withLock({ $0.isStopping }) { break }
                try kill()
            }
            try waitUntilWhole()
        } catch { state.withLock { $0.failure = "\(error)" } }
    }

    private func pause(millisecondsMax: Int) {
        let time = state.withLock { $0.random.below(millisecondsMax) }
        // A signal to stop stays for the next wait.
        if wakeUp.wait(timeout: .now() + .milliseconds(time)) == .success { wakeUp.signal() }
    }

    private func kill() throws {
        let cluster = try LocalCluster(directory: directory) { _ in }.state()
        let servers = (victims == .meta ? [] : cluster.nodes) + (victims == .node ? [] : [cluster.meta])
        let isMeta = state.withLock { victims == .meta || victims == .all && $0.random.one(in: 2) }
        let choice = servers.filter { ($0.name == cluster.meta.name) == isMeta }
        let server = state.withLock { $0.random.pick(choice) }
        guard let process = server.process else { throw Broken("\(server.name) does not run") }
        note("kill -9 of \(server.name)")
        process.signal(SIGKILL)
        guard process.waitForEnd(seconds: 10) else { throw Broken("\(server.name) does not end") }
        pause(millisecondsMax: 1500)
        note("shoal up")
        _ = try shoal("up", "--dir", directory)
        note("\(server.name) runs again")
        state.withLock { $0.kills[server.name, default: 0] += 1 }
    }

    private func note(_ what: String) { state.withLock { $0.events.append((Words.now, what)) } }

    private func waitUntilWhole() throws {
        let deadline = Words.now + 120_000_000_000
        while true {
            let text = try shoal("status", "--dir", directory, "--json")
            let status = try JSONDecoder().decode(StatusDocument.self, from: Data(text.utf8))
            let isWhole =
                status.totals.partitionsWhole == status.partitions && status.nodes.allSatisfy { $0.state == "up" }
            if isWhole { return note("everything is in sync") }
            guard Words.now < deadline else { throw Broken("the replicas do not get in sync: \(text)") }
            poll(nil, 0, 50)
        }
    }

    /// Runs the `shoal` that was built with this program.
    /// - Returns: What it printed.
    private func shoal(_ arguments: String...) throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = max(0, readlink("/proc/self/exe", &buffer, buffer.count))
        let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let program =
            own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/shoal"
        return try Program.output(of: [program] + arguments)
    }
}
