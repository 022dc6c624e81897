import ShoalCluster
import ShoalTypes
import ShoalWire
import Testing

@Suite struct StatusTests {
    private func reply() -> ClusterStatusReply {
        var reply = ClusterStatusReply()
        reply.cluster = ClusterID(0x1234)
        let nodes = (1...2).map {
            NodeDescription(
                id: NodeID($0), address: "127.0.0.1:760\($0)", zone: "rack\($0)", weight: 1, isUp: $0 == 1)
        }
        let whole = PartitionAssignment(
            replicas: [Replica(node: NodeID(1), state: .inSync), Replica(node: NodeID(2), state: .stale)],
            changedAt: Epoch(9))
        let lost = PartitionAssignment(replicas: [Replica(node: NodeID(2), state: .inSync)], changedAt: Epoch(3))
        reply.map = ClusterMap(epoch: Epoch(9), replicaCount: 2, nodes: nodes, partitions: [whole, whole, lost])
        var usage = ClusterStatusReply.Node()
        usage.id = NodeID(1)
        usage.usage.bytesTotal = 10 << 30
        usage.usage.bytesFree = 6 << 30
        usage.usage.chunks = 1234
        usage.usage.requestsPerSecond = .nan
        reply.usages = [usage]
        var session = ClusterStatusReply.Session()
        session.id = SessionID(17)
        session.label = "host:1:/mnt\u{1B}[2J\n"
        session.leases = 3
        session.silentMilliseconds = 1250
        reply.sessions = [session]
        reply.inodes = 5
        return reply
    }

    @Test("The tables are aligned, name what is wrong, and let no control character through")
    func text() {
        let text = StatusDocument(reply(), address: "127.0.0.1:7600").text
        #expect(
            text == """
                cluster   0000000000001234, epoch 9, 2 replicas, 3 partitions: 1 UNAVAILABLE, 2 degraded
                metadata  127.0.0.1:7600, 5 inodes, 0.0 r/s, 0 to reclaim, 0 fenced

                NODE   ADDRESS         ZONE   STATE      USED     FREE  CHUNKS  IN SYNC  SYNCING  STALE  R/S  CORRUPT  REPAIRED
                1      127.0.0.1:7601  rack1  up      4.0 GiB  6.0 GiB    1234        2        0      0  0.0        0         0
                2      127.0.0.1:7602  rack2  down        0 B      0 B       0        1        0      2  0.0        0         0
                total                         1/2 up  4.0 GiB  6.0 GiB    1234        3        0      2  0.0

                SESSION  LEASES  LAST HEARD  LABEL
                17            3   1.3 s ago  host:1:/mnt?[2J?

                """)
    }

    @Test("The JSON has the documented keys and is the same for the same reply")
    func json() {
        let json = StatusDocument(reply(), address: "a").json
        for key in [
            "format", "cluster", "epoch", "replicas", "partitions", "metadata", "nodes", "sessions", "totals",
            "bytesFree", "inSync", "partitionsUnavailable", "silentMilliseconds", "reclaimQueue",
        ] { #expect(json.contains("\"\(key)\" :"), "\(key)") }
        #expect(json == StatusDocument(reply(), address: "a").json)
    }

    @Test("Numbers from a peer that make no sense do no harm")
    func hostileNumbers() {
        var reply = reply()
        reply.usages[0].usage.bytesFree = .max
        reply.usages[0].usage.bytesTotal = .max
        reply.usages[0].usage.chunks = .max
        reply.usages.append(reply.usages[0])
        reply.usages[1].id = NodeID(2)
        let document = StatusDocument(reply, address: "a")
        #expect(document.totals.chunks == .max && document.nodes[0].bytesUsed == 0)
        #expect(!document.text.isEmpty && !document.json.isEmpty)
    }

    @Test(
        "Quantities are written with the digits that matter",
        arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (150_000, "146 KiB"), (5 << 40, "5.0 TiB")])
    func quantities(_ count: UInt64, _ text: String) {
        #expect(Quantity.bytes(count) == text)
    }
}
