import Glibc
import ShoalNode
import ShoalTypes
import ShoalWire
import Testing

/// Figures of one node over loopback, client and node in one process. Run with SHOAL_BENCH=1, in release mode.
@Suite("Throughput", .serialized, .enabled(if: getenv("SHOAL_BENCH") != nil))
struct ThroughputTests {
    /// Keeps `depth` requests in flight until `count` have been answered; returns seconds.
    private func run(
        _ count: Int, depth: Int, _ send: (Int) -> Awaited<TestClient.Answer>
    ) -> Double {
        let start = ContinuousClock.now
        var flying: [Awaited<TestClient.Answer>] = []
        for index in 0..<count {
            if flying.count == depth { #expect(flying.removeFirst().wait().status == .ok) }
            flying.append(send(index))
        }
        for answer in flying { #expect(answer.wait().status == .ok) }
        return (ContinuousClock.now - start) / .seconds(1)
    }

    @Test("Reads and writes of 1 MiB and 4 KiB", arguments: [1, 8, 32])
    func figures(depth: Int) throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let address = try cluster.address(NodeID(1))
        let epoch = cluster.metadata.currentMap.epoch
        let large = [UInt8](repeating: 7, count: 1 << 20)
        let small = [UInt8](repeating: 7, count: 4096)
        let count = 512
        func chunk(_ index: Int) -> ChunkID { ChunkID(data: DataID(1), index: UInt32(index / 4)) }
        func offset(_ index: Int) -> Int { (index % 4) << 20 }
        let requests = (0..<count).map {
            client.writeRequest(chunk($0), offset: offset($0), large, epoch: epoch, version: UInt64($0 + 1))
        }
        let write = run(count, depth: depth) { client.send(.writeChunk, requests[$0], payload: large, to: address) }
        let read = run(count, depth: depth) {
            let request = ReadChunkRequest(
                epoch: epoch, chunk: chunk($0), offset: UInt32(offset($0)), length: 1 << 20)
            return client.send(.readChunk, request, to: address)
        }
        let smallCount = 10_000
        let smallWrite = run(smallCount, depth: depth) { index in
            let request = client.writeRequest(
                chunk(index % count), offset: index % 1024 * 4096, small, epoch: epoch, version: UInt64(10_000 + index))
            return client.send(.writeChunk, request, payload: small, to: address)
        }
        let smallRead = run(smallCount, depth: depth) { index in
            let request = ReadChunkRequest(
                epoch: epoch, chunk: chunk(index % count), offset: UInt32(index * 7 % 1024 * 4096), length: 4096)
            return client.send(.readChunk, request, to: address)
        }
        func perSecond(_ count: Int, _ seconds: Double) -> Int { Int(Double(count) / seconds) }
        print(
            "depth \(depth): 1 MiB writes \(perSecond(count, write))/s, reads \(perSecond(count, read))/s;",
            "4 KiB writes \(perSecond(smallCount, smallWrite))/s, reads \(perSecond(smallCount, smallRead))/s")
    }
}
