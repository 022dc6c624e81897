import Logging
import ShoalClient
import ShoalMetadata
import ShoalTestSupport
import ShoalTypes
import ShoalWire

/// One seed: a cluster of the production cores in virtual time, several mounts that do random operations, faults of every
/// kind, and at the end the question whether what was seen can be explained.
package final class SimulationRun {
    static let fileCount = 3
    static let cellCount = 24
    /// Not a divisor of a block: cells share blocks, and straddle them. In two runs of five a file has several chunks.
    let cellBytes: Int
    let hasLargeFiles: Bool
    static let recordBytes = 100
    static let names = ["n0", "n1", "n2", "n3", "n4"]
    static let underWayMax = 12
    /// Longer than any operation may take, whatever happens.
    static let patience = Interval.seconds(200)

    let clock = VirtualScheduler()
    let board: Switchboard
    let metadata: SimulatedMetadata
    private(set) var nodes: [SimulatedNode] = []
    var mounts: [SimulatedMount] = []
    var random: SeededGenerator
    var histories: Histories
    var outcome: SimulationOutcome
    private let limits: ClientLimits
    private let logLevel: Logger.Level
    private(set) var files: [InodeID] = []
    private(set) var log = InodeID(0)
    private(set) var directory = InodeID(0)
    /// The session that each mount had last, and the mounts that may have lost one through no fault of theirs.
    private var sessions: [String: SessionID] = [:]
    var harmed: Set<String> = []
    private var mountCount = 0
    /// Every begin and end of an operation is one.
    private var step = 0
    private(set) var underWay: [Int: String] = [:]
    private var underWayOf: [String: Int] = [:]
    /// Requests but heartbeats, so far.
    private(set) var requestCount = 0

    package init(seed: UInt64, plantedFault: PlantedFault? = nil, logLevel: Logger.Level = .critical) throws {
        self.logLevel = logLevel
        outcome = SimulationOutcome(seed: seed)
        random = SeededGenerator(seed: seed)
        hasLargeFiles = [0, 3].contains(seed % 5)
        cellBytes = hasLargeFiles ? 23_000 : 3000
        histories = Histories(
            fileCount: Self.fileCount, cellCount: Self.cellCount, cellBytes: cellBytes)
        board = Switchboard(scheduler: clock, seed: random.next())
        var limits = ClientLimits.production
        limits.cacheBytesMax = 256 << 10
        limits.dirtyBytesMax = 64 << 10
        limits.flushBytesInFlightMax = 64 << 10
        limits.reservationStepBytes = 64 << 10
        limits.nodeAttemptDeadline = .milliseconds(500)
        limits.plantedFault = plantedFault
        self.limits = limits
        var coordinatorLimits = CoordinatorLimits.production
        coordinatorLimits.chunkBytesLog2 = Geometry.chunkBytesLog2Range.lowerBound
        metadata = try SimulatedMetadata(board: board, replicas: 2, limits: coordinatorLimits)
        metadata.onFailure = { [unowned self] in complain("the metadata server failed: \($0)") }
        board.observe = { [unowned self] in observe($0, $1, $2) }
        for number in 1...3 {
            nodes.append(
                SimulatedNode(address: "node:\(number)", board: board, clockOffset: drawOffset(), logLevel: logLevel) {
                    [unowned self] in complain($0)
                })
        }
        try require(clock.run(for: .seconds(60)) { self.isWhole }, "the nodes do not get in sync")
        for _ in 0..<Int.random(in: 2...4, using: &random) { try addMount() }
        try makeFiles()
        board.delay = 20...[100, 400, 2000, 20_000][Int.random(in: 0..<4, using: &random)]
    }

    private func drawOffset() -> Interval { .seconds(Int64.random(in: 0...1000, using: &random)) }

    func complain(_ text: String) { outcome.complaints.append(text) }

    struct Stuck: Error, CustomStringConvertible { var description: String }
    func require(_ condition: Bool, _ what: String) throws(Stuck) { if !condition { throw Stuck(description: what) } }

    /// All nodes are up, and every partition has all its replicas.
    var isWhole: Bool {
        let map = metadata.core.map
        return nodes.allSatisfy(\.isUp) && map.nodes.count == nodes.count && map.nodes.allSatisfy(\.isUp)
            && map.partitions.allSatisfy { $0.inSync.count == 2 }
    }

    private func observe(_ address: String, _ operation: Operation, _ message: [UInt8]) {
        trace("\(operation) at \(address) \(message)")
        var hash = outcome.digest ^ UInt64(clock.now.rawValue)
        for byte in [UInt8(truncatingIfNeeded: operation.rawValue)] + address.utf8.suffix(1) + message.suffix(8) {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        outcome.digest = hash
        if operation != .heartbeat, operation != .nodeHeartbeat { requestCount += 1 }
    }

    // MARK: Mounts

    @discardableResult
    func addMount() throws -> SimulatedMount {
        mountCount += 1
        let mount = SimulatedMount(
            name: "mount\(mountCount)", board: board, limits: limits, clockOffset: drawOffset(), logLevel: logLevel)
        var result: Result<Void, ClientError>?
        mount.client.open(deadline: .seconds(60)) { result = $0 }
        try require(clock.run(for: .seconds(61)) { result != nil }, "a mount does not begin")
        if case .failure(let error)? = result { throw Stuck(description: "a mount does not begin: \(error)") }
        sessions[mount.name] = mount.client.session
        mounts.append(mount)
        for id in files + (log.rawValue == 0 ? [] : [log]) {
            _ = try wait("open") { mount.client.open(id, truncates: false, completion: $0) }
        }
        return mount
    }

    func wait<Value>(_ what: String, _ start: (@escaping Completion<Value>) -> Void) throws -> Value {
        var result: Result<Value, FileError>?
        start { result = $0 }
        try require(clock.run(for: SimulationRun.patience) { result != nil }, "no end of \(what)")
        do { return try result!.get() } catch { throw Stuck(description: "\(what) failed: \(error)") }
    }

    private func makeFiles() throws {
        let client = mounts[0].client
        for number in 0...SimulationRun.fileCount {
            var file = Client.NewFile(mode: FileKind.regular.rawValue | 0o644, uid: 0, gid: 0)
            file.opens = true
            let id = try wait("create") { client.create(.root, Self.name("f\(number)"), file, completion: $0) }.inode
            if number < SimulationRun.fileCount { files.append(id) } else { log = id }
        }
        let folder = Client.NewFile(mode: FileKind.directory.rawValue | 0o755, uid: 0, gid: 0)
        directory = try wait("mkdir") { client.create(.root, Self.name("d"), folder, completion: $0) }.inode
        for mount in mounts.dropFirst() {
            for id in files + [log] { _ = try wait("open") { mount.client.open(id, truncates: false, completion: $0) } }
        }
        try sync(mounts[0])
    }

    static func name(_ text: String) -> FileName {
        do { return try FileName(Array(text.utf8)) } catch { preconditionFailure("\(text) is no name") }
    }

    /// Whoever has another session than before has lost what it had not synced.
    func noteSessions() {
        for mount in mounts {
            let known = sessions[mount.name] ?? .none
            guard mount.client.session != known else { continue }
            sessions[mount.name] = mount.client.session
            if known == .none { continue }
            histories.lost(mount.name, at: step)
            if !harmed.contains(mount.name) {
                complain("\(mount.name) lost its session, and nothing had happened to it")
            }
        }
    }

    /// - Parameter file: An index of `files`, or `Histories.logFile`.
    func inode(of file: Int) -> InodeID { file == Histories.logFile ? log : files[file] }

    /// An fsync or a close of the file has failed: what was written before may be lost.
    func lost(_ mount: SimulatedMount, _ file: Int) { histories.lost(mount.name, of: file, at: step) }

    // MARK: Steps

    func begin(_ what: String, by mount: SimulatedMount) -> Int {
        step += 1
        outcome.operations += 1
        underWay[step] = "\(what) by \(mount.name)"
        histories.actors[step] = mount.name
        trace("\(step) begins: \(what) by \(mount.name)")
        underWayOf[mount.name, default: 0] += 1
        return step
    }

    /// - Returns: Nil if its mount has been killed: nobody sees the outcome.
    func end(_ operation: Int, by mount: SimulatedMount) -> Int? {
        guard underWay.removeValue(forKey: operation) != nil else { return nil }
        underWayOf[mount.name, default: 0] -= 1
        step += 1
        trace("\(operation) ends as \(step)")
        return step
    }

    private func trace(_ text: String) {
        if logLevel == .trace { print("\(Double(clock.now.rawValue / 1000) / 1e6 - 1000) \(text)") }
    }

    /// What is done to the cluster.
    func noteFault(_ what: String, of target: String) {
        outcome.faults[what, default: 0] += 1
        histories.events.append(
            (step, "\(what): \(target), at \(Double(clock.now.rawValue / 1_000_000) / 1000 - 1000) s"))
    }

    func isBusy(_ mount: SimulatedMount) -> Bool { underWayOf[mount.name, default: 0] >= 4 }

    /// Its operations have no end.
    func forget(_ mount: SimulatedMount) {
        underWay = underWay.filter { !$0.value.hasSuffix(" \(mount.name)") }
        histories.lost(mount.name, at: step)
        mounts.removeAll { $0 === mount }
    }

    // MARK: The run

    package func run() -> SimulationOutcome {
        do {
            try act()
            if outcome.complaints.isEmpty { try settle() }
            if outcome.complaints.isEmpty {
                let judgement = histories.judge()
                outcome.complaints += judgement.complaints
                outcome.undecided = judgement.undecided
            }
        } catch { complain("\(error)") }
        outcome.seconds = Double(clock.now.rawValue) / 1e9 - 1000
        // They hold each other: without this a run stays in memory.
        for mount in mounts { mount.kill() }
        for node in nodes { node.end() }
        board.end()
        clock.end()
        return outcome
    }

    private func act() throws {
        let faultEvery = [0, 60, 25, 10][Int.random(in: 0..<4, using: &random)]
        for _ in 0..<220 {
            if underWay.count < SimulationRun.underWayMax { operate() }
            if faultEvery > 0, random.chance(1, in: faultEvery) { try disturb() }
            let isLong = random.chance(1, in: 20)
            let pause = Interval.microseconds(Int64.random(in: 0...(isLong ? 6_000_000 : 15_000), using: &random))
            let end = clock.now + pause
            while clock.now < end {
                clock.run(for: min(.milliseconds(2), end - clock.now))
                noteSessions()
                checkLeases()
            }
            if !outcome.complaints.isEmpty { return }
        }
    }

    /// At most one mount has a write lease on a chunk, and nobody else one for reading then.
    private func checkLeases() {
        for id in files + [log, directory] {
            let held = mounts.map { ($0.name, $0.client.usableLease(id)) }.filter { $0.1.mode >= .part }
            let writers = held.filter { $0.1.mode.allowsWriting }
            if writers.contains(where: { $0.1.mode == .part }) { outcome.sharedFiles += 1 }
            for (name, lease) in writers
            where held.contains(where: { $0.0 != name && $0.1.extent.overlaps(lease.extent) }) {
                complain("inode \(id) is leased to write to \(name) beside others: \(held)")
            }
        }
    }
}
