import Glibc
import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@Suite("Coordinator: model")
struct CoordinatorModelTests {
    private static let failedOnce: [UInt64] = [7, 7_759_156_445_600_049_004]
    /// What a run has to meet, and how often.
    private static let least: KeyValuePairs = [
        "answered": 400, "recall obeyed": 100, "write": 5, "removal": 10, "cached name": 5,
    ]

    /// SHOAL_TEST_SEED runs one seed again, SHOAL_TEST_SEEDS so many new ones.
    private static var seeds: [UInt64] {
        if let text = getenv("SHOAL_TEST_SEEDS").map({ String(cString: $0) }), let count = Int(text) {
            return (0..<count).map { _ in UInt64.random(in: 1...UInt64.max) }
        }
        if let seed = requestedSeed() { return [seed] }
        return failedOnce + (0..<4).map { _ in UInt64.random(in: 1...UInt64.max) }
    }

    @Test(
        "under any faults: no two writers, nothing stale, every change once, every request answered, nothing left over",
        arguments: CoordinatorModelTests.seeds)
    func model(seed: UInt64) throws {
        print("coordinator model: SHOAL_TEST_SEED=\(seed)")
        let world = try CoordinatorWorld(seed: seed)
        try world.makeDirectories()
        for number in 0..<4 { world.clients.append(CoordinatorModelClient(world, number: number)) }
        var steps = 0
        // Where much is cut, stalled and restarted, less is met in a given time.
        while steps < 30_000 || steps < 120_000 && !CoordinatorModelTests.least.allSatisfy(world.hasMet) {
            steps += 1
            try disturb(world)
            try world.step()
        }
        try world.heal()
        print("coordinator model met:", world.coverage.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })
        for (what, least) in CoordinatorModelTests.least {
            #expect(world.hasMet(what, least), "the run met too little of: \(what)")
        }
        try world.checkNames()
        try world.closeAll()
        #expect(try world.count(.session) == 0)
        #expect(try world.count(.sessionReply) == 0)
        #expect(try world.count(.orphan) == 0)
        #expect(try world.count(.reclaim) == 0)
        #expect(world.core.waitingCount == 0)
    }

    private func disturb(_ world: CoordinatorWorld) throws {
        guard let client = world.clients.randomElement(using: &world.random) else { return }
        if world.random.chance(1, in: 1000), let link = client.link { world.cut(link) }
        if world.random.chance(1, in: 4000) {
            client.stalledUntil = world.now + .milliseconds(Int64.random(in: 100...15_000, using: &world.random))
        }
        if world.random.chance(1, in: 2500) { client.isStubborn = true }
        if world.random.chance(1, in: 300) { client.isStubborn = false }
        if world.random.chance(1, in: 10_000) { world.killAndReplace(client) }
        if world.random.chance(1, in: 8000) { try world.restart() }
    }
}

extension CoordinatorWorld {
    func makeDirectories() throws {
        var transaction = core.namespace.begin()
        for name in ["a", "b"] {
            var message = CreateRequest()
            message.parent = .root
            message.name = fileName(name)
            message.mode = FileKind.directory.rawValue | 0o755
            let context = OperationContext(session: SessionID(0), now: moment.wallClock)
            directories.append(try CreateNode(message).execute(&transaction, context).attributes.inode)
        }
        try core.namespace.commit(transaction)
    }

    func step() throws {
        let choice = Int.random(in: 0..<100, using: &random)
        if choice < 70 {
            _ = try deliver()
        } else if choice < 92 {
            try clients.randomElement(using: &random)?.act()
        } else {
            clients.randomElement(using: &random)?.obeyRecall()
        }
        passTime(.microseconds(Int64.random(in: 0...4000, using: &random)))
        if choice % 4 == 0 { try checkTruth() }
    }

    /// A mount that is never heard of again, and another in its place.
    func killAndReplace(_ client: CoordinatorModelClient) {
        client.isDead = true
        if let link = client.link { cut(link) }
        lostNames.formUnion(client.lostNames)
        clients.removeAll { $0 === client }
        clients.append(CoordinatorModelClient(self, number: client.number + 10))
        graveyard.append(client)
    }

    /// From here on everybody is well: every request is answered.
    func heal() throws {
        for client in clients {
            client.stalledUntil = now
            client.isStubborn = false
        }
        let end = now + .seconds(60)
        while now < end {
            while try deliver() {}
            for client in clients { client.obeyRecall() }
            if clients.allSatisfy({ $0.isOpen && $0.isIdle && $0.isUsable }), isQuiet, !core.isInGrace { return }
            passTime(.milliseconds(20))
            try checkTruth()
        }
        for client in clients { #expect(client.pendingCount == 0, "client \(client.number) waits for ever") }
    }

    /// Every change that was reported done was done, once.
    func checkNames() throws {
        for client in clients {
            for (name, place) in client.ownNames {
                #expect(try inode(place.parent, name) == place.inode, "\(name) was made and is not there")
            }
        }
        for (parent, name) in goneNames { #expect(try inode(parent, name) == nil, "\(name) was removed and is there") }
    }

    func closeAll() throws {
        for client in clients { client.goodbye() }
        let end = now + .seconds(60)
        while now < end {
            while try deliver() {}
            passTime(.milliseconds(50))
            if try count(.session) == 0, try count(.reclaim) == 0, try count(.orphan) == 0, isQuiet { break }
        }
    }
}
