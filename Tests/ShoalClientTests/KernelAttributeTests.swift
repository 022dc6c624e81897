import ShoalTestSupport
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("Attributes that the kernel keeps")
struct KernelAttributeTests {
    @Test("No stat shows a size that was old before it began, whichever mount changed it")
    func coherence() throws {
        let seeds = requestedSeed().map { [$0] } ?? Array(1...UInt64(20))
        var shownFromKernel = 0
        for seed in seeds {
            let run = try SizeRun(seed: seed)
            try run.run()
            shownFromKernel += run.shownFromKernel
            if !run.complaints.isEmpty {
                Issue.record("SHOAL_TEST_SEED=\(seed): \(run.complaints.prefix(4).joined(separator: "; "))")
                return
            }
        }
        #expect(shownFromKernel > 100 * seeds.count, "the kernels keep nothing: nothing was tested")
    }

    @Test("A lease that is given back for its age goes after the kernel has forgotten what it showed under it")
    func coldLeases() throws {
        let cluster = try Cluster()
        var limits = ClientLimits.production
        limits.inodesMax = 20
        limits.attributeCalm = .milliseconds(0)
        let a = try cluster.client("a")
        let b = try cluster.client("b", limits: limits)
        let kernel = AttributeTwin(b, cluster.scheduler, dropsAtOnce: false)
        for number in 0..<60 {
            let file = try cluster.create(a, "f\(number)", opens: false)
            _ = try cluster.lookup(b, "f\(number)")
            kernel.stat(file) { _ in }
            cluster.scheduler.run(for: .seconds(1))
            for id in kernel.kept { #expect(b.inodes.existing(id)?.grant.mode ?? .none >= .read, "\(id) has no lease") }
        }
        #expect(b.inodes.count <= 30)
    }
}

/// What one mount's kernel shows of files: an answer is taken in some time after it was given, and only if the kernel was
/// not told to forget meanwhile; `later` stands for the other thread by which it is told.
private final class AttributeTwin {
    private struct Entry {
        var size: UInt64
        var end: MonotonicInstant
    }
    private let client: Client
    private let scheduler: VirtualScheduler
    private var entries: [InodeID: Entry] = [:]
    private var version = 0
    private(set) var hits = 0

    var kept: [InodeID] { entries.filter { $0.value.end > scheduler.now }.map(\.key) }

    init(_ client: Client, _ scheduler: VirtualScheduler, dropsAtOnce: Bool) {
        self.client = client
        self.scheduler = scheduler
        if dropsAtOnce {
            client.dropKernelAttributesAtOnce = { [unowned self] inode in
                version += 1
                entries[inode] = nil
                return true
            }
        }
        client.dropKernelAttributes = { [unowned self] inodes, done in
            later {
                self.version += 1
                for inode in inodes { self.entries[inode] = nil }
                self.later(done)
            }
        }
    }

    func stat(_ id: InodeID, _ completion: @escaping (UInt64) -> Void) {
        if let entry = entries[id], entry.end > scheduler.now {
            hits += 1
            return completion(entry.size)
        }
        let asked = version
        client.attributes(of: id) { [self] result in
            guard case .success(let attributes) = result else { return }
            let validity = client.kernelLearns(attributes)
            later { [self] in
                if version == asked { entries[id] = Entry(size: attributes.size, end: scheduler.now + validity) }
                completion(attributes.size)
            }
        }
    }

    /// The end of a call that changed something.
    func changed(_ completion: @escaping () -> Void) { client.whenKernelHasForgotten(completion) }

    private func later(_ body: @escaping () -> Void) { scheduler.schedule(after: .microseconds(40), body) }
}

/// Three mounts make files longer, by truncate and by write, and look at their sizes all the time.
private final class SizeRun {
    private let cluster: Cluster
    private var clients: [Client] = []
    private var kernels: [AttributeTwin] = []
    private var files: [InodeID] = []
    private var random: SeededGenerator
    /// The longest that each file is sure to be, and that anybody has begun to make it.
    private var done: [InodeID: UInt64] = [:]
    private var begun: [InodeID: UInt64] = [:]
    private var changing: [InodeID: Int] = [:]
    private var truncating: Set<InodeID> = []
    private(set) var complaints: [String] = []
    private var underWay = 0
    var shownFromKernel: Int { kernels.reduce(0) { $0 + $1.hits } }

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        cluster = try Cluster(seed: seed)
        cluster.board.delay = 20...400
        var limits = ClientLimits.production
        limits.attributeCalm = .milliseconds(Int64(seed % 3))
        for name in ["a", "b", "c"] {
            let client = try cluster.client(name, limits: limits)
            clients.append(client)
            kernels.append(AttributeTwin(client, cluster.scheduler, dropsAtOnce: seed % 2 == 0))
        }
        for number in 0..<4 { files.append(try cluster.create(clients[0], "f\(number)", opens: false)) }
        for client in clients { for number in files.indices { _ = try cluster.lookup(client, "f\(number)") } }
    }

    func run() throws {
        for _ in 0..<1500 {
            let file = files.randomElement(using: &random)!
            let mount = Int.random(in: 0..<clients.count, using: &random)
            if Int.random(in: 0..<12, using: &random) == 0 { change(file, mount) } else { look(file, mount) }
            if Bool.random(using: &random) {
                cluster.scheduler.run(for: .microseconds(Int64.random(in: 1...1500, using: &random)))
            }
        }
        if !cluster.scheduler.run(for: Cluster.patience, until: { self.underWay == 0 }) {
            complaints.append("\(underWay) operations do not end")
        }
    }

    private func look(_ file: InodeID, _ mount: Int) {
        let atLeast = done[file] ?? 0
        underWay += 1
        kernels[mount].stat(file) { [self] size in
            underWay -= 1
            if size < atLeast { complaints.append("mount \(mount) shows \(size) of \(file), which was \(atLeast)") }
            if size > begun[file] ?? 0 { complaints.append("mount \(mount) shows \(size) of \(file) before its time") }
        }
    }

    /// A truncation runs by itself: beside another change it may make the file shorter.
    private func change(_ file: InodeID, _ mount: Int) {
        guard !truncating.contains(file) else { return }
        let isTruncation = Bool.random(using: &random)
        if isTruncation, changing[file, default: 0] > 0 { return }
        let size = (begun[file] ?? 0) + UInt64.random(in: 1...6000, using: &random)
        begun[file] = size
        underWay += 1
        changing[file, default: 0] += 1
        if isTruncation { truncating.insert(file) }
        let end = { [self] (isDone: Bool) in
            kernels[mount].changed { [self] in
                underWay -= 1
                changing[file]! -= 1
                truncating.remove(file)
                if isDone { done[file] = max(done[file] ?? 0, size) }
            }
        }
        if !isTruncation {
            [UInt8(1)].withUnsafeBytes { bytes in
                clients[mount].write(file, .at(size - 1), bytes) { end((try? $0.get()) != nil) }
            }
        } else {
            var change = AttributeChange()
            change.size = size
            clients[mount].setAttributes(of: file, change) { end((try? $0.get()) != nil) }
        }
    }
}
