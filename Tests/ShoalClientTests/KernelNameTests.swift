import ShoalMetadata
import ShoalRPC
import ShoalTestSupport
import ShoalSimulation
import ShoalTypes
import Testing

@testable import ShoalClient

@Suite("Names that the kernel keeps")
struct KernelNameTests {
    @Test("Whatever a kernel shows of a name without asking is what the server has at that moment; every call ends")
    func coherence() throws {
        let seeds = requestedSeed().map { [$0] } ?? Array(1...UInt64(12)) + [537_100_484]
        var hits = 0
        for seed in seeds {
            let run = try NameRun(seed: seed)
            try run.run()
            hits += run.hits
            if !run.complaints.isEmpty {
                Issue.record("SHOAL_TEST_SEED=\(seed): \(run.complaints.prefix(4).joined(separator: "; "))")
                return
            }
        }
        #expect(hits > 300 * seeds.count, "the kernels keep nothing: nothing was tested")
    }

    @Test(
        "Two mounts that change what the other's kernel shows, in one directory at once, wait no longer than that lasts"
    )
    func bothShown() throws {
        let cluster = try Cluster()
        let clients = [try cluster.client("a"), try cluster.client("b")]
        let kernels = clients.map { NameTwin($0, cluster.scheduler) }
        let places = ["x", "y"].map { Place(directory: .root, name: named($0)) }
        for name in ["x", "y"] { _ = try cluster.create(clients[0], name, opens: false) }
        cluster.scheduler.run(for: .seconds(30))
        for kernel in kernels { for place in places { look(kernel, place, cluster) } }
        var ended = 0
        let start = cluster.scheduler.now
        for (kernel, place) in zip(kernels, places) { kernel.unlink(place) { ended += 1 } }
        #expect(cluster.scheduler.run(for: Cluster.patience) { ended == 2 })
        let waited = cluster.scheduler.now - start
        #expect(waited <= .seconds(7), "waited \(waited)")
        // Right after that nobody is shown anything that could hold up the next.
        for name in ["x", "y"] { _ = try cluster.create(clients[0], name, opens: false) }
        for kernel in kernels { for place in places { look(kernel, place, cluster) } }
        ended = 0
        let again = cluster.scheduler.now
        for (kernel, place) in zip(kernels, places) { kernel.unlink(place) { ended += 1 } }
        #expect(cluster.scheduler.run(for: Cluster.patience) { ended == 2 })
        #expect(cluster.scheduler.now - again < .milliseconds(50))
    }

    @Test("A lease that goes for its age goes after the names that were shown under it have ended")
    func coldLeases() throws {
        let cluster = try Cluster()
        var limits = ClientLimits.production
        limits.inodesMax = 20
        let a = try cluster.client("a")
        let b = try cluster.client("b", limits: limits)
        let kernel = NameTwin(b, cluster.scheduler)
        var shown: [InodeID: MonotonicInstant] = [:]
        for number in 0..<60 {
            let mode = FileKind.directory.rawValue | 0o755
            let made = try cluster.wait {
                a.create(.root, named("d\(number)"), Client.NewFile(mode: mode, uid: 0, gid: 0), completion: $0)
            }
            look(kernel, Place(directory: .root, name: named("d\(number)")), cluster)
            look(kernel, Place(directory: made.inode, name: named("absent")), cluster)
            let end = b.inodes.existing(made.inode)?.kernelNames.end ?? MonotonicInstant(0)
            shown[made.inode] = end
            #expect(end > cluster.scheduler.now)
            cluster.scheduler.run(for: .milliseconds(100))
            for (directory, end) in shown where end > cluster.scheduler.now {
                #expect(b.inodes.existing(directory)?.grant.mode ?? .none >= .names, "\(directory) has no lease")
            }
        }
        cluster.scheduler.run(for: .seconds(10))
        for number in 0..<30 { _ = try cluster.lookup(b, "d\(number)") }
        #expect(b.inodes.count <= 30)
    }

    @Test("The answer to a change that was sent twice does not say what names are now")
    func oldAnswer() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        _ = try cluster.create(b, "x", opens: false)
        var isUnlinked = false
        a.unlink(.root, named("x")) { result in
            if case .success = result { isUnlinked = true }
        }
        let isExecuted = cluster.scheduler.run(for: .seconds(1)) { [metadata = cluster.metadata] in
            let transaction = metadata.core.namespace.begin()
            return (try? transaction.dentry(.root, named("x"))) == .some(nil)
        }
        #expect(isExecuted && !isUnlinked)
        // Sent again before the change is, and with its answer comes a lease.
        a.attributes(of: .root) { _ in }
        cluster.networks["a"]?.unreachable = [SimulatedMetadata.address]
        let second = try cluster.create(b, "x", opens: false)
        cluster.scheduler.run(for: .seconds(1))
        cluster.networks["a"]?.unreachable = []
        #expect(cluster.scheduler.run(for: .seconds(20)) { isUnlinked })
        #expect(a.inodes.existing(.root)?.grant.mode == .read)
        #expect(try cluster.lookup(a, "x") == second)
    }

    private func look(_ kernel: NameTwin, _ place: Place, _ cluster: Cluster) {
        var isDone = false
        kernel.look(place) { isDone = true }
        #expect(cluster.scheduler.run(for: Cluster.patience) { isDone })
    }
}

/// Three mounts look at a few names of three directories all the time, and make, remove and rename them, while
/// connections break and the server restarts.
private final class NameRun {
    private let cluster: Cluster
    private var kernels: [NameTwin] = []
    /// Of a hundred calls; a few names that are changed often meet other cases than many that are looked at.
    private let changes: Int
    private let names: [FileName]
    private var random: SeededGenerator
    private var directories: [InodeID] = [.root]
    private(set) var complaints: [String] = []
    private var underWay = 0
    var hits: Int { kernels.reduce(0) { $0 + $1.hits } }

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        let isBusy = seed % 2 == 0
        changes = isBusy ? 24 : 8
        names = (isBusy ? ["x", "y"] : ["x", "y", "z", "u", "v"]).map(named)
        cluster = try Cluster(seed: seed)
        cluster.board.delay = isBusy ? 20...2000 : 20...400
        var limits = ClientLimits.production
        // Shown soon after a change, and for long: more to take back.
        limits.nameCalmAtFirst = .seconds(20)
        limits.nameValidityMin = .microseconds(100)
        limits.nameValidityMargin = .milliseconds(2)
        for name in ["a", "b", "c"] {
            let client = try cluster.client(name, limits: limits)
            let kernel = NameTwin(client, cluster.scheduler)
            kernel.onHit = { [unowned self, unowned kernel] in check($0, $1, kernel) }
            kernels.append(kernel)
        }
        for name in ["d", "e"] {
            let mode = FileKind.directory.rawValue | 0o755
            let file = Client.NewFile(mode: mode, uid: 0, gid: 0)
            directories.append(
                try cluster.wait { kernels[0].client.create(.root, named(name), file, completion: $0) }.inode)
        }
    }

    private func check(_ place: Place, _ shown: InodeID?, _ kernel: NameTwin) {
        guard kernel.changing[place, default: 0] == 0 else { return }
        let transaction = cluster.metadata.core.namespace.begin()
        let truth = try? transaction.dentry(place.directory, place.name)?.inode
        if truth != shown {
            let mount = kernels.firstIndex { $0 === kernel } ?? 0
            complaints.append("mount \(mount) shows \(place) as \(shown as Any), which is \(truth as Any)")
        }
    }

    func run() throws {
        for _ in 0..<3000 {
            let kernel = kernels.randomElement(using: &random)!
            underWay += 1
            let end = { [self] in underWay -= 1 }
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<changes / 3: kernel.create(place(), end)
            case changes / 3..<changes / 2: kernel.unlink(place(), end)
            case changes / 2..<changes: kernel.rename(place(), place(), exchanges: Bool.random(using: &random), end)
            default: kernel.look(place(), end)
            }
            if Bool.random(using: &random) {
                cluster.scheduler.run(for: .microseconds(Int64.random(in: 1...3000, using: &random)))
            }
            switch Int.random(in: 0..<3000, using: &random) {
            case 0..<6: cluster.board.cut(SimulatedMetadata.address, of: ["a", "b", "c"].randomElement(using: &random))
            case 6: cluster.metadata.restart(after: .milliseconds(Int64.random(in: 1...500, using: &random)))
            default: break
            }
        }
        if !cluster.scheduler.run(for: Cluster.patience, until: { self.underWay == 0 }) {
            complaints.append("\(underWay) operations do not end")
        }
    }

    private func place() -> Place {
        Place(directory: directories.randomElement(using: &random)!, name: names.randomElement(using: &random)!)
    }
}
