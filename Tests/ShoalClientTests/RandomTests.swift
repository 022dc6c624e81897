import ShoalMetadata
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient
import ShoalTestSupport

@Suite("Random operations of several clients")
struct RandomTests {
    @Test("Every operation ends, reads return what register semantics allow, and no append is lost")
    func random() throws {
        let seeds = requestedSeed().map { [$0] } ?? Array(1...UInt64(6))
        for seed in seeds {
            let run = try RandomRun(seed: seed)
            try run.run()
            if !run.complaints.isEmpty {
                Issue.record("SHOAL_TEST_SEED=\(seed): \(run.complaints.prefix(4).joined(separator: "; "))")
                return
            }
        }
    }
}

/// The history of one cell: a run of bytes that operations write and read as a whole.
struct CellHistory {
    struct Write {
        let value: UInt64
        let begin: Int
        /// When it had ended for certain; nil while it may still take effect.
        var end: Int?
    }
    private(set) var writes = [Write(value: 0, begin: -1, end: -1)]

    mutating func begin(_ value: UInt64, at step: Int) -> Int {
        writes.append(Write(value: value, begin: step, end: nil))
        return writes.count - 1
    }
    mutating func end(_ write: Int, at step: Int) { writes[write].end = step }

    /// Whether a read between the two steps may have returned `value`: of a write that had begun before the read ended,
    /// and that no other write wholly followed before the read began.
    func allows(_ value: UInt64, from begin: Int, to end: Int) -> Bool {
        writes.contains { write in
            guard write.value == value, write.begin < end else { return false }
            guard let ended = write.end else { return true }
            return !writes.contains { $0.begin > ended && ($0.end ?? .max) < begin }
        }
    }
}

/// One seed: a cluster, three clients, what they did, and what they may have seen. A fourth, the outcast, loses its
/// session again and again: its calls may fail, but not for ever, it may not read what is not true, and nobody else may
/// notice.
final class RandomRun {
    static let cellBytes = 3000
    static let cellCount = 100
    private let cluster: Cluster
    private var clients: [Client] = []
    private let outcast: Client
    private var outcastFile = InodeID(0)
    private var random: SeededGenerator
    private var files: [InodeID] = []
    private var histories: [[CellHistory]] = []
    private var log = InodeID(0)
    private var appended: Set<UInt64> = []
    private var logSize: [Int] = []
    /// Moments: every begin and end of an operation is one.
    private var step = 0
    private var lastValue: UInt64 = 0
    private var underWay: [Int: String] = [:]
    private(set) var complaints: [String] = []

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        cluster = try Cluster(seed: seed)
        var limits = ClientLimits.production
        limits.cacheBytesMax = 512 << 10
        limits.dirtyBytesMax = 128 << 10
        limits.flushBytesInFlightMax = 128 << 10
        limits.reservationStepBytes = 64 << 10
        limits.nodeAttemptDeadline = .milliseconds(500)
        for name in ["a", "b", "c"] { clients.append(try cluster.client(name, limits: limits)) }
        outcast = try cluster.client("outcast", limits: limits)
        // With room close does not wait, without it does.
        if random.chance(1, in: 2) { cluster.makeRoom(for: clients + [outcast]) }
        for name in ["f", "g"] {
            files.append(try cluster.create(clients[0], name))
            histories.append(Array(repeating: CellHistory(), count: RandomRun.cellCount))
        }
        log = try cluster.create(clients[0], "log")
        outcastFile = try cluster.create(outcast, "o")
        for client in clients[1...] { for file in files + [log] { try cluster.open(client, file) } }
        cluster.board.delay = 20...Int64.random(in: 100...20_000, using: &random)
    }

    private func begin(_ what: String) -> Int {
        step += 1
        underWay[step] = what
        return step
    }

    private func end(_ operation: Int, _ error: FileError?, by client: Client? = nil) -> Int {
        step += 1
        if let error, client !== outcast { complaints.append("\(underWay[operation] ?? "?") failed: \(error)") }
        underWay[operation] = nil
        return step
    }

    func run() throws {
        for _ in 0..<120 {
            operate()
            if random.chance(1, in: 20) { disturb() }
            let isLong = random.chance(1, in: 15)
            cluster.scheduler.run(
                for: .microseconds(Int64.random(in: 0...(isLong ? 8_000_000 : 20_000), using: &random)))
        }
        if !cluster.scheduler.run(for: Cluster.patience, until: { underWay.isEmpty }) {
            complaints.append("no end of \(underWay.values.sorted())")
            return
        }
        for client in clients { for file in files.indices { read(client, file, 0..<RandomRun.cellCount) } }
        cluster.scheduler.run(for: Cluster.patience) { underWay.isEmpty }
        for client in clients {
            let content = try cluster.read(client, log, 0, 1 << 20)
            let values = stride(from: 0, to: content.count, by: 100).map { value(content[$0..<$0 + 100]) }
            if Set(values.compactMap { $0 }) != appended || values.count != appended.count {
                complaints.append("the log has \(values.count) records of \(appended.count)")
            }
        }
    }

    private func disturb() {
        switch Int.random(in: 0..<8, using: &random) {
        case 6: castOut()
        case 7: takeDown()
        case 0, 1: cluster.board.cut(cluster.nodes.randomElement(using: &random)?.address ?? "")
        case 2, 3: cluster.board.cut(SimulatedMetadata.address, of: ["a", "b", "c"].randomElement(using: &random))
        case 4: cluster.metadata.restart(after: .milliseconds(Int64.random(in: 1...500, using: &random)))
        default:
            guard let node = cluster.nodes.randomElement(using: &random), !node.isStalled else { return }
            node.isStalled = true
            cluster.scheduler.schedule(after: .milliseconds(Int64.random(in: 50...900, using: &random))) {
                node.isStalled = false
            }
        }
    }

    /// Cut off for longer than its session lasts.
    private func castOut() {
        guard let network = cluster.networks["outcast"], network.unreachable.isEmpty else { return }
        network.unreachable = [SimulatedMetadata.address]
        cluster.scheduler.schedule(after: .milliseconds(Int64.random(in: 500...20_000, using: &random))) {
            network.unreachable = []
        }
    }

    /// One node at a time, and not before the last one has everything again.
    private func takeDown() {
        let map = cluster.metadata.core.map
        guard map.nodes.allSatisfy(\.isUp), map.partitions.allSatisfy({ $0.inSync.count >= 2 }),
            cluster.nodes.allSatisfy({ cluster.board.listeners[$0.address] != nil && !$0.isStalled }),
            let node = cluster.nodes.randomElement(using: &random)
        else { return }
        node.goDown()
        cluster.scheduler.schedule(after: .milliseconds(Int64.random(in: 10...5000, using: &random))) { node.comeUp() }
    }

    private func operate() {
        if random.chance(1, in: 5) { return operateOutcast() }
        guard let client = clients.randomElement(using: &random) else { return }
        let file = Int.random(in: 0..<files.count, using: &random)
        let first = Int.random(in: 0..<RandomRun.cellCount, using: &random)
        let cells = first..<min(RandomRun.cellCount, first + Int.random(in: 1...30, using: &random))
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<6: write(client, file, cells)
        case 6..<12: read(client, file, cells)
        case 12..<14: append(client)
        case 14: truncate(client, file, first)
        case 15: simple("fsync") { client.sync(files[file], completion: $0) }
        case 16: simple("close") { client.flush(files[file], completion: $0) }
        case 17, 18: statLog(client)
        default: churn(client, "t\(Int.random(in: 0..<4, using: &random))")
        }
    }

    private func operateOutcast() {
        let first = Int.random(in: 0..<RandomRun.cellCount, using: &random)
        let cells = first..<min(RandomRun.cellCount, first + Int.random(in: 1...30, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0..<3: read(outcast, Int.random(in: 0..<files.count, using: &random), cells)
        case 3..<5:
            let operation = begin("write of the outcast")
            record(1, RandomRun.cellBytes * cells.count).withUnsafeBytes {
                outcast.write(outcastFile, .at(UInt64(first * RandomRun.cellBytes)), $0) { [self] result in
                    _ = end(operation, result.failure, by: outcast)
                }
            }
        case 5: simple("fsync of the outcast", by: outcast) { outcast.sync(outcastFile, completion: $0) }
        case 6: simple("close of the outcast", by: outcast) { outcast.flush(outcastFile, completion: $0) }
        default: churn(outcast, "t\(Int.random(in: 0..<4, using: &random))")
        }
    }

    private func simple(
        _ what: String, by client: Client? = nil, _ start: (@escaping Completion<Void>) -> Void
    ) {
        let operation = begin(what)
        start { [self] result in _ = end(operation, result.failure, by: client) }
    }

    /// Names come and go: whether each call succeeds depends on the others.
    private func churn(_ client: Client, _ name: String) {
        let operation = begin("churn")
        let kind = Int.random(in: 0..<3, using: &random)
        let done = { [self] in _ = end(operation, nil) }
        switch kind {
        case 0:
            let file = Client.NewFile(mode: FileKind.regular.rawValue | 0o644, uid: 0, gid: 0)
            client.create(.root, named(name), file) { _ in done() }
        case 1: client.unlink(.root, named(name)) { _ in done() }
        default: client.rename(.root, named(name), to: .root, named(name + "r"), .replace) { _ in done() }
        }
    }

    private func write(_ client: Client, _ file: Int, _ cells: Range<Int>) {
        lastValue += 1
        let value = lastValue
        let operation = begin("write \(value) of file \(file) cells \(cells)")
        let writes = cells.map { histories[file][$0].begin(value, at: operation) }
        let bytes = record(value, RandomRun.cellBytes * cells.count)
        bytes.withUnsafeBytes {
            client.write(files[file], .at(UInt64(cells.lowerBound * RandomRun.cellBytes)), $0) { [self] result in
                let ended = end(operation, result.failure)
                for (cell, write) in zip(cells, writes) { histories[file][cell].end(write, at: ended) }
            }
        }
    }

    private func truncate(_ client: Client, _ file: Int, _ cell: Int) {
        let operation = begin("truncation of file \(file) to cell \(cell)")
        let cells = cell..<RandomRun.cellCount
        let writes = cells.map { histories[file][$0].begin(0, at: operation) }
        var change = AttributeChange()
        change.size = UInt64(cell * RandomRun.cellBytes)
        client.setAttributes(of: files[file], change) { [self] result in
            let ended = end(operation, result.failure)
            for (cell, write) in zip(cells, writes) { histories[file][cell].end(write, at: ended) }
        }
    }

    private func read(_ client: Client, _ file: Int, _ cells: Range<Int>) {
        let operation = begin("read of file \(file) cells \(cells)")
        let length = cells.count * RandomRun.cellBytes
        client.read(files[file], offset: UInt64(cells.lowerBound * RandomRun.cellBytes), length: length) {
            [self] result in
            var content: [UInt8] = []
            if case .success(let buffers) = result { for buffer in buffers { content += buffer } }
            let ended = end(operation, result.failure, by: client)
            guard result.failure == nil else { return }
            content += zeros(length - content.count)
            for (number, cell) in cells.enumerated() {
                let start = number * RandomRun.cellBytes
                guard let found = value(content[start..<start + RandomRun.cellBytes]) else {
                    complaints.append("file \(file) cell \(cell) is torn")
                    continue
                }
                if !histories[file][cell].allows(found, from: operation, to: ended) {
                    complaints.append("file \(file) cell \(cell) read as \(found) in \(operation)...\(ended)")
                }
            }
        }
    }

    private func append(_ client: Client) {
        lastValue += 1
        let value = lastValue
        appended.insert(value)
        let operation = begin("append")
        record(value, 100).withUnsafeBytes {
            client.write(log, .end, $0) { [self] result in
                _ = end(operation, result.failure)
                logSize.append(100)
            }
        }
    }

    /// At least what had been appended when the call began.
    private func statLog(_ client: Client) {
        let operation = begin("stat")
        let least = logSize.reduce(0, +)
        client.attributes(of: log) { [self] result in
            _ = end(operation, result.failure)
            guard case .success(let attributes) = result, attributes.size < least else { return }
            complaints.append("the log shrank from \(least) to \(attributes.size)")
        }
    }

    private func record(_ value: UInt64, _ count: Int) -> [UInt8] {
        let bytes = withUnsafeBytes(of: value.littleEndian) { Array($0) }
        return (0..<count).map { bytes[min($0 % 4, 7)] }
    }

    /// Nil if the bytes are not of one record.
    private func value(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        let bytes = Array(bytes)
        let value = UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16
        return bytes == record(value, bytes.count) ? value : nil
    }
}

extension Result where Failure == FileError {
    var failure: FileError? { if case .failure(let error) = self { error } else { nil } }
}
