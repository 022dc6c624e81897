import ShoalNode
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@Suite("Admission")
struct AdmissionTests {
    static let me = NodeID(1)
    static let chunk = ChunkID(data: DataID(5), index: 0)
    static let session = SessionID(9)
    static let generation = ConnectionGeneration(3)

    static func map(_ epoch: UInt64, _ state: ReplicaState?, changedAt: UInt64, fenced: [SessionID] = []) -> ClusterMap
    {
        var replicas = [Replica(node: NodeID(2), state: .inSync)]
        if let state { replicas.append(Replica(node: me, state: state)) }
        let partition = PartitionAssignment(replicas: replicas, changedAt: Epoch(changedAt))
        return ClusterMap(epoch: Epoch(epoch), partitions: [partition], fenced: fenced)
    }

    static func admission(_ map: ClusterMap?) -> Admission {
        var admission = Admission(node: me, sessionsMax: 16)
        _ = admission.connections.greet(session, generation)
        if let map {
            admission.register(as: me)
            _ = admission.apply(map)
        }
        return admission
    }

    static func write(_ admission: Admission, epoch: UInt64, generation: UInt64 = 3) -> Admission.Verdict {
        admission.admitWrite(
            epoch: Epoch(epoch), session: session, generation: ConnectionGeneration(generation), chunk: chunk)
    }

    @Test("Nothing is served before the registration")
    func unregistered() {
        let admission = Self.admission(nil)
        #expect(Self.write(admission, epoch: 0) == .refuse(.notReady))
        #expect(admission.admitRead(epoch: Epoch(0), chunk: Self.chunk) == .refuse(.notReady))
        #expect(admission.admitSync(epoch: Epoch(9), chunk: Self.chunk) == .refuse(.notReady))
    }

    @Test("A request that names a newer epoch waits for the map; one older than the partition's change is refused")
    func epochs() {
        let admission = Self.admission(Self.map(10, .inSync, changedAt: 7))
        #expect(Self.write(admission, epoch: 11) == .awaitMap(Epoch(11)))
        #expect(Self.write(admission, epoch: 6) == .refuse(.staleEpoch))
        #expect(Self.write(admission, epoch: 7) == .admit(PartitionID(0)))
        #expect(admission.admitRead(epoch: Epoch(6), chunk: Self.chunk) == .refuse(.staleEpoch))
        #expect(admission.admitRead(epoch: Epoch(7), chunk: Self.chunk) == .admit(PartitionID(0)))
    }

    @Test("Bytes on an older connection are refused, also after the newest one is gone")
    func connections() {
        var admission = Self.admission(Self.map(10, .inSync, changedAt: 7))
        #expect(admission.connections.greet(Self.session, ConnectionGeneration(4)) == true)
        #expect(Self.write(admission, epoch: 10, generation: 3) == .refuse(.staleConnection))
        #expect(Self.write(admission, epoch: 10, generation: 4) == .admit(PartitionID(0)))
        admission.connections.disconnect(Self.session, ConnectionGeneration(4))
        #expect(admission.connections.greet(Self.session, ConnectionGeneration(3)) == false)
        #expect(Self.write(admission, epoch: 10, generation: 3) == .refuse(.staleConnection))
    }

    @Test("A fenced session never writes again, whatever epoch it names")
    func fence() {
        var admission = Self.admission(Self.map(10, .inSync, changedAt: 7))
        let change = admission.apply(Self.map(11, .inSync, changedAt: 7, fenced: [Self.session]))
        #expect(change?.newlyFenced == [Self.session])
        #expect(Self.write(admission, epoch: 11) == .refuse(.fenced))
        #expect(Self.write(admission, epoch: 1) == .refuse(.fenced))
        #expect(admission.apply(Self.map(12, .inSync, changedAt: 7, fenced: [Self.session]))?.newlyFenced == [])
    }

    @Test(
        "Only writable replicas take writes, only in-sync ones are read or copied",
        arguments: [nil, .stale, .syncing, .inSync] as [ReplicaState?])
    func replicas(state: ReplicaState?) {
        var admission = Self.admission(Self.map(10, state, changedAt: 7))
        // A syncing replica that has the chunk.
        admission.progress.markCurrent(Self.chunk, in: PartitionID(0))
        let isWritable = state == .inSync || state == .syncing
        #expect(Self.write(admission, epoch: 10) == (isWritable ? .admit(PartitionID(0)) : .refuse(.notReplica)))
        let isReadable = state == .inSync
        let read = admission.admitRead(epoch: Epoch(10), chunk: Self.chunk)
        #expect(read == (isReadable ? .admit(PartitionID(0)) : .refuse(.notReplica)))
        let source = admission.admitSource(epoch: Epoch(10), partition: PartitionID(0))
        #expect(source == (isReadable ? .admit(PartitionID(0)) : .refuse(.notReplica)))
    }

    @Test("A syncing replica takes a write only to a chunk that it has caught up with")
    func syncing() {
        var admission = Self.admission(Self.map(10, .syncing, changedAt: 7))
        #expect(Self.write(admission, epoch: 10) == .awaitChunk(PartitionID(0)))
        admission.progress.markCurrent(Self.chunk, in: PartitionID(0))
        #expect(Self.write(admission, epoch: 10) == .admit(PartitionID(0)))
        // The partition changed again: writes may have passed by.
        _ = admission.apply(Self.map(11, .syncing, changedAt: 11))
        #expect(Self.write(admission, epoch: 11) == .awaitChunk(PartitionID(0)))
    }

    @Test("An unreconciled chunk is neither read nor written, but can be copied")
    func unreconciled() {
        var admission = Self.admission(Self.map(10, .inSync, changedAt: 7))
        admission.unreconciled.insert(Self.chunk)
        #expect(Self.write(admission, epoch: 10) == .awaitChunk(PartitionID(0)))
        #expect(admission.admitRead(epoch: Epoch(10), chunk: Self.chunk) == .awaitChunk(PartitionID(0)))
        #expect(
            admission.admitRead(epoch: Epoch(10), chunk: Self.chunk, isResync: true) == .admit(PartitionID(0)))
    }

    @Test("A store that failed takes no writes and no syncs")
    func badStore() {
        var admission = Self.admission(Self.map(10, .inSync, changedAt: 7))
        admission.isStoreBad = true
        #expect(Self.write(admission, epoch: 10) == .refuse(.failed(.inputOutput)))
        #expect(admission.admitSync(epoch: Epoch(10), chunk: Self.chunk) == .refuse(.failed(.inputOutput)))
        #expect(admission.admitRead(epoch: Epoch(10), chunk: Self.chunk) == .admit(PartitionID(0)))
    }

    @Test("A write is admitted exactly when every rule of the design allows it")
    func allRules() {
        let seed = testSeed("allRules")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let epoch = UInt64.random(in: 1...4, using: &random)
            let mapEpoch = UInt64.random(in: 1...4, using: &random)
            let changedAt = UInt64.random(in: 1...mapEpoch, using: &random)
            let state = ([nil] + ReplicaState.allCases).randomElement(using: &random) ?? nil
            let isFenced = Int.random(in: 0..<4, using: &random) == 0
            let newest = UInt64.random(in: 1...3, using: &random)
            let generation = UInt64.random(in: 1...3, using: &random)
            var admission = Admission(node: Self.me, sessionsMax: 16)
            admission.register(as: Self.me)
            _ = admission.apply(
                Self.map(mapEpoch, state, changedAt: changedAt, fenced: isFenced ? [Self.session] : []))
            _ = admission.connections.greet(Self.session, ConnectionGeneration(newest))
            let isCurrent = Bool.random(using: &random)
            if isCurrent { admission.progress.markCurrent(Self.chunk, in: PartitionID(0)) }
            let isUnreconciled = Int.random(in: 0..<4, using: &random) == 0
            if isUnreconciled { admission.unreconciled.insert(Self.chunk) }

            let mayWrite =
                epoch <= mapEpoch && epoch >= changedAt && !isFenced && generation == newest
                && (state == .inSync || state == .syncing) && !(state == .syncing && !isCurrent) && !isUnreconciled
            let verdict = Self.write(admission, epoch: epoch, generation: generation)
            #expect((verdict == .admit(PartitionID(0))) == mayWrite, "seed \(seed): \(verdict)")
        }
    }

    @Test("The table of sessions stays within its bound")
    func sessionsBound() {
        var connections = SessionConnections(sessionsMax: 4)
        for session in 1...4 as ClosedRange<UInt64> {
            #expect(connections.greet(SessionID(session), ConnectionGeneration(1)) == true)
        }
        #expect(connections.greet(SessionID(5), ConnectionGeneration(1)) == false)
        connections.disconnect(SessionID(2), ConnectionGeneration(1))
        #expect(connections.greet(SessionID(5), ConnectionGeneration(1)) == true)
        #expect(connections.isNewest(SessionID(1), ConnectionGeneration(1)))
    }
}
