import FoundationEssentials
import Glibc
import ShoalTestSupport
import Testing

extension Cluster {
    /// What cluster.json says (docs/formats/cluster-json.md), as far as the tests need it.
    struct State: Decodable {
        struct Process: Decodable { var pid: Int32 }
        struct Server: Decodable {
            var name: String
            var port: UInt16
            var process: Process?
            var address: String { "127.0.0.1:\(port)" }
        }
        struct Mount: Decodable {
            var path: String
            var process: Process?
        }
        var meta: Server
        var nodes: [Server]
        var mounts: [Mount]
    }

    func state() throws -> State {
        try JSONDecoder().decode(State.self, from: Data(Files.bytes("\(directory)/cluster.json")))
    }

    /// What `shoal status --json` says (docs/formats/status-json.md), as far as the tests need it.
    struct Status: Decodable {
        struct Node: Decodable {
            var address: String
            var state: String
            var corruptChunks: UInt64
            var repairedChunks: UInt64
            var partitions: Replicas
        }
        struct Replicas: Decodable {
            var inSync: Int
            var syncing: Int
        }
        struct Totals: Decodable {
            var nodesUp: Int
            var partitionsWhole: Int
            var partitionsDegraded: Int
            var partitionsUnavailable: Int
        }
        var nodes: [Node]
        var totals: Totals
        /// Every node has its fair share, and nothing is on its way to another.
        var isBalanced: Bool {
            let shares = nodes.map(\.partitions.inSync)
            return nodes.allSatisfy { $0.partitions.syncing == 0 } && (shares.max() ?? 0) - (shares.min() ?? 0) <= 2
        }
        /// Every partition has all its replicas, in sync.
        var isWhole: Bool { totals.partitionsDegraded == 0 && totals.partitionsUnavailable == 0 }
    }

    func status() throws -> Status {
        let output = try Cluster.shoal("status", "--dir", directory, "--json")
        guard output.isSuccess else { throw Command.Failed(command: "shoal status", output: output) }
        return try JSONDecoder().decode(Status.self, from: Data(output.out.utf8))
    }

    /// Asks for the status again and again until `condition` holds.
    func waitForStatus(_ what: String, secondsMax: Int = 60, until condition: (Status) throws -> Bool) throws {
        let deadline = Clock.seconds + Double(secondsMax)
        while true {
            let status = try status()
            if try condition(status) { return }
            guard Clock.seconds < deadline else { throw NotReached(what: what, status: status) }
        }
    }

    struct NotReached: Error {
        var what: String
        var status: Status
    }

    /// kill -9, and waits until the process is gone.
    func killProcess(_ process: State.Process?) throws {
        guard let pid = process?.pid else { throw SystemCallError("not running", ESRCH) }
        try check(kill(pid, SIGKILL), "kill")
        // It is not our child, so nobody announces its end.
        while kill(pid, 0) == 0, Files.text("/proc/\(pid)/stat").contains(") Z ") == false { sched_yield() }
    }

    /// The most memory that a process has had resident, in bytes.
    func residentBytesMax(_ process: State.Process?) throws -> Int {
        let lines = Files.text("/proc/\(process?.pid ?? 0)/status").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("VmHWM:") }), let kib = Int(line.split(separator: " ")[1])
        else { throw SystemCallError("no such process", ESRCH) }
        return kib * 1024
    }
}

enum Clock {
    /// Of the monotonic clock.
    static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension Cluster {
    /// The mount's read(2) calls: one for each request of the kernel, and a few for its sockets.
    func requests(of process: Cluster.State.Process?) throws -> Int {
        let lines = Files.text("/proc/\(process?.pid ?? 0)/io").split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("syscr:") })
        return try #require(Int(line.split(separator: " ")[1]))
    }
}
