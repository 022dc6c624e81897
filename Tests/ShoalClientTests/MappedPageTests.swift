import ShoalTestSupport
import ShoalSimulation
import ShoalTypes
import Testing

@testable import ShoalClient

@Suite("Pages of mapped files")
struct MappedPageTests {
    @Test("A file that may be stored to is read into pages under the write lease; any other under a read lease")
    func leases() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(8192, 1))
        #expect(try cluster.lookup(b, "f") == file)
        try cluster.open(b, file)
        let pages = KernelTwin(b, file, cluster.scheduler)
        try load(pages, 0, of: cluster)
        #expect(b.inodes.inode(file).grant.mode == .read)
        #expect(!b.inodes.inode(file).pages.served.isEmpty)

        try expectStores(b, file, of: cluster)
        #expect(
            b.inodes.inode(file).pages.served.isEmpty,
            "pages under a read lease remain when the file is opened to store")
        try load(pages, 0, of: cluster)
        #expect(b.inodes.inode(file).grant.mode == .write)
        #expect(a.inodes.inode(file).grant.mode < .read)

        b.storesEnded(file)
        #expect(try cluster.read(a, file) == pattern(8192, 1))
        try load(pages, 1, of: cluster)
        #expect(b.inodes.inode(file).grant.mode == .read)
    }

    @Test("What is stored through a mapping of one mount is what any mount loads and reads from then on")
    func coherence() throws {
        try runSeeds { try StoreRun(seed: $0, stores: true) }
    }

    @Test("What is written on any mount is what all mounts load and read from then on, and nobody goes back")
    func readers() throws {
        try runSeeds { try StoreRun(seed: $0, stores: false) }
    }

    @Test(
        "Who reads to the end of a file finds it where an append has put it that has returned, however slow the reader is"
    )
    func appends() throws {
        for seed in requestedSeed().map({ [$0] }) ?? Array(1...UInt64(10)) {
            let run = try AppendRun(seed: seed)
            try run.run()
            if !run.complaints.isEmpty {
                Issue.record("SHOAL_TEST_SEED=\(seed): \(run.complaints.prefix(4).joined(separator: "; "))")
                return
            }
        }
    }

    private func runSeeds(_ make: (UInt64) throws -> StoreRun) throws {
        let seeds = requestedSeed().map { [$0] } ?? Array(1...UInt64(10)) + [125, 151]
        for seed in seeds {
            let run = try make(seed)
            try run.run()
            if !run.complaints.isEmpty {
                Issue.record("SHOAL_TEST_SEED=\(seed): \(run.complaints.prefix(4).joined(separator: "; "))")
                return
            }
        }
    }

    private func load(_ pages: KernelTwin, _ page: UInt64, of cluster: Cluster) throws {
        var isLoaded = false
        pages.access(page) { _ in
            isLoaded = true
            return false
        }
        try #require(cluster.scheduler.run(for: Cluster.patience) { isLoaded })
    }

    private func expectStores(_ client: Client, _ file: InodeID, of cluster: Cluster) throws {
        var isReady = false
        client.expectStores(file) { isReady = true }
        try #require(cluster.scheduler.run(for: Cluster.patience) { isReady })
    }
}

/// Loads, stores, reads and writes of single bytes on three mounts. The kernels of two of them have pages: of a file that is
/// mapped to be stored to, or that is only read through them and written by direct I/O. A load and a store happen at one
/// instant, so a load must find the last store, and what another load has found; a read may find what the byte was at any
/// time during the call.
private final class StoreRun {
    private static let pageCount: UInt64 = 3
    private let cluster: Cluster
    private var clients: [Client] = []
    private var pages: [KernelTwin] = []
    private let file: InodeID
    private var random: SeededGenerator
    /// All that each byte was, the newest last.
    private var history: [UInt64: [UInt8]] = [:]
    private let stores: Bool
    /// Bytes that a write call is about to change, and may have changed: to what, and whether somebody has seen it.
    private var beingWritten: [UInt64: (value: UInt8, isSeen: Bool)] = [:]
    private(set) var complaints: [String] = []
    private var underWay = 0

    init(seed: UInt64, stores: Bool) throws {
        self.stores = stores
        random = SeededGenerator(seed: seed)
        cluster = try Cluster(seed: seed)
        cluster.board.delay = 20...400
        for name in ["a", "b", "c"] { clients.append(try cluster.client(name)) }
        file = try cluster.create(clients[0], "f")
        try cluster.write(clients[0], file, .at(0), zeros((Int(StoreRun.pageCount) + 1) * KernelTwin.bytes))
        for client in clients.dropFirst() {
            _ = try cluster.lookup(client, "f")
            try cluster.open(client, file)
        }
        for client in clients[..<2] {
            if stores { client.expectStores(file) {} }
            pages.append(KernelTwin(client, file, cluster.scheduler))
        }
    }

    func run() throws {
        for _ in 0..<400 {
            begin()
            if Int.random(in: 0..<3, using: &random) == 0 {
                cluster.scheduler.run(for: .microseconds(Int64.random(in: 1...3000, using: &random)))
            }
        }
        if !cluster.scheduler.run(for: Cluster.patience, until: { self.underWay == 0 }) {
            complaints.append("\(underWay) operations do not end")
        }
        for errors in pages.map(\.errors) where !errors.isEmpty { complaints.append("errors: \(errors)") }
        let content = try cluster.read(clients[2], file)
        for (place, values) in history where content[Int(place)] != values.last {
            complaints.append("byte \(place) is \(content[Int(place)]) at the end, not \(values.last ?? 0)")
        }
    }

    private func begin() {
        let page = UInt64.random(in: 0..<StoreRun.pageCount, using: &random)
        let mapper = pages[Int.random(in: 0..<2, using: &random)]
        // Bytes at even offsets are stored through mappings, those beside them are written.
        let offset = Int.random(in: 0..<(stores ? 8 : 2), using: &random) * 500
        let seen = offset + (stores ? Int.random(in: 0...1, using: &random) : 1)
        underWay += 1
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4 where stores: store(mapper, page, offset)
        case 0..<7:
            mapper.access(page) { [self] bytes in
                let place = StoreRun.place(page, seen)
                check(bytes[seen], place, since: newest(place), "load")
                underWay -= 1
                return false
            }
        case 7:
            mapper.writeBack()
            underWay -= 1
        case 8: read(StoreRun.place(page, seen))
        default:
            // In a page that is stored to at the same time, the kernel may write back what a zero has replaced.
            let isZero = Int.random(in: 0..<4, using: &random) == 0
            write(StoreRun.place(isZero && stores ? StoreRun.pageCount : page, offset + 1), isZero: isZero)
        }
    }

    private func store(_ mapper: KernelTwin, _ page: UInt64, _ offset: Int) {
        let value = UInt8.random(in: 1...255, using: &random)
        mapper.access(page) { [self] bytes in
            bytes[offset] = value
            history[StoreRun.place(page, offset), default: [0]].append(value)
            underWay -= 1
            return true
        }
    }

    /// By the mount that has no pages, which would have to be written back first; so are writes beside stores.
    private func read(_ place: UInt64) {
        let since = newest(place)
        let isCertain = beingWritten[place] == nil
        clients[2].read(file, offset: place, length: 1) { [self] result in
            underWay -= 1
            guard let value = try? result.get().first?.first else { return complaints.append("a read failed") }
            if isCertain, beingWritten[place] == nil { check(value, place, since: since, "read") }
        }
    }

    private func write(_ place: UInt64, isZero: Bool) {
        guard beingWritten[place] == nil else { return underWay -= 1 }
        let value = isZero ? 0 : UInt8.random(in: 1...255, using: &random)
        beingWritten[place] = (value, false)
        let completion: (Result<Int, FileError>) -> Void = { [self] result in
            underWay -= 1
            if case .failure(let error) = result { complaints.append("a write failed: \(error)") }
            history[place, default: [0]].append(value)
            beingWritten[place] = nil
        }
        if isZero {
            let completion: (Result<Void, FileError>) -> Void = { completion($0.map { 1 }) }
            if let mapper = pages.randomElement(using: &random) { mapper.zero(at: place, completion: completion) }
            return
        }
        if !stores, let writer = pages.randomElement(using: &random), Bool.random(using: &random) {
            return writer.write([value], at: place, completion: completion)
        }
        [value].withUnsafeBytes { clients[2].write(file, .at(place), $0, completion: completion) }
    }

    private static func place(_ page: UInt64, _ offset: Int) -> UInt64 {
        page * UInt64(KernelTwin.bytes) + UInt64(offset)
    }

    private func newest(_ place: UInt64) -> Int { history[place, default: [0]].count - 1 }

    private func check(_ value: UInt8, _ place: UInt64, since: Int, _ what: String) {
        if let new = beingWritten[place] {
            if value == new.value { return beingWritten[place] = (value, true) }
            if new.isSeen {
                complaints.append("a \(what) of byte \(place) finds \(value) after another found \(new.value)")
            }
            return
        }
        if !history[place, default: [0]][since...].contains(value) {
            complaints.append("a \(what) of byte \(place) finds \(value), not \(history[place]?.last ?? 0)")
        }
    }
}

/// Bytes appended by two mounts, and read from the end by the kernel of a third. Each byte is its own place, modulo 251.
private final class AppendRun {
    private let cluster: Cluster
    private var writers: [Client] = []
    private let pages: KernelTwin
    private let file: InodeID
    private var random: SeededGenerator
    /// The size up to which appends have returned, and to which some are under way.
    private var size: UInt64 = 1
    private var underWay = 0
    private var isAppending = false
    private(set) var complaints: [String] = []

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        cluster = try Cluster(seed: seed)
        cluster.board.delay = 20...400
        for name in ["a", "b"] { writers.append(try cluster.client(name)) }
        let reader = try cluster.client("c")
        file = try cluster.create(writers[0], "f")
        try cluster.write(writers[0], file, .at(0), [0])
        for client in [writers[1], reader] {
            _ = try cluster.lookup(client, "f")
            try cluster.open(client, file)
        }
        pages = KernelTwin(reader, file, cluster.scheduler)
    }

    func run() throws {
        for _ in 0..<600 {
            if Bool.random(using: &random) { append() } else { read() }
            if Int.random(in: 0..<3, using: &random) == 0 {
                cluster.scheduler.run(for: .microseconds(Int64.random(in: 1...6000, using: &random)))
            }
        }
        if !cluster.scheduler.run(for: Cluster.patience, until: { self.underWay == 0 }) {
            complaints.append("\(underWay) operations do not end")
        }
        if !pages.errors.isEmpty { complaints.append("errors: \(pages.errors)") }
    }

    /// One at a time, so that what each byte must be is known.
    private func append() {
        guard !isAppending, let writer = writers.randomElement(using: &random) else { return }
        isAppending = true
        underWay += 1
        let count = UInt64.random(in: 1...3000, using: &random)
        let bytes = (size..<size + count).map { UInt8($0 % 251) }
        bytes.withUnsafeBytes {
            writer.write(file, .end, $0) { [self] result in
                if case .failure(let error) = result { complaints.append("an append failed: \(error)") }
                size += count
                isAppending = false
                underWay -= 1
            }
        }
    }

    private func read() {
        let sizeBefore = size
        underWay += 1
        // Sometimes longer than a recall waits.
        let delay = Interval.microseconds(Int64.random(in: 10...5000, using: &random))
        pages.readLast(delay: delay) { [self] size, byte in
            underWay -= 1
            if size < sizeBefore { complaints.append("the file ends at \(size), though \(sizeBefore) were written") }
            if byte != UInt8((size - 1) % 251) { complaints.append("byte \(size - 1) is \(byte)") }
        }
    }
}
