import ShoalTransport
import ShoalTypes
import ShoalWire
import Testing

@Suite("Connections that come and go", .timeLimit(.minutes(2)))
struct ReconnectTests {
    private let hello = Hello(role: .node, cluster: ClusterID(7), node: NodeID(3))

    @Test("When a connection is lost, open calls end as unreachable, the delegate is told, and it connects again")
    func reconnects() async throws {
        let server = try EchoServer()
        let client = await TestClient(server.address)
        #expect(await client.next() == .connected(hello))
        for _ in 0..<5 {
            async let lost = client.call(.recall)
            while await client.outstanding == 0 { await Task.yield() }
            server.closeInbound()
            #expect(await lost.status == .unreachable)
            #expect(await client.next() == .disconnected)
            #expect(await client.next() == .connected(hello))
            #expect(await client.isConnected)
            #expect(await client.call(.lookup, message: [4]).message == [4])
        }
        client.shutDown()
        server.shutDown()
    }

    @Test("A call made before there is a connection waits for it")
    func waitsForConnection() async throws {
        let first = try EchoServer()
        let address = first.address
        first.shutDown()
        let client = await TestClient(address)
        async let answer = client.call(.lookup, message: [8])
        while await client.outstanding == 0 { await Task.yield() }
        let server = try EchoServer(binding: address)
        #expect(await answer == TestClient.Answer(status: .ok, message: [8], payload: []))
        client.shutDown()
        server.shutDown()
    }

    @Test("A call that waits for a connection ends at its deadline")
    func waitsUntilDeadline() async throws {
        let server = try EchoServer()
        server.shutDown()
        let client = await TestClient(server.address)
        #expect(await client.call(.lookup, deadline: .milliseconds(60)).status == .unreachable)
        client.shutDown()
    }

    @Test("A call that is to fail fast ends with the first failed attempt, and later ones at once")
    func failsFast() async throws {
        let server = try EchoServer()
        server.shutDown()
        let client = await TestClient(server.address, failsFast: true)
        let start = client.loop.now
        for _ in 0..<3 { #expect(await client.call(.lookup, deadline: .seconds(60)).status == .unreachable) }
        #expect(client.loop.now - start < .seconds(20))
        client.shutDown()
    }

    @Test("A refused side is told why, and keeps trying")
    func refusal() async throws {
        let server = try EchoServer()
        server.refuse(with: .wrongCluster)
        let client = await TestClient(server.address)
        #expect(await client.next() == .refused(.wrongCluster))
        #expect(await client.next() == .refused(.wrongCluster))
        server.refuse(with: nil)
        var event = await client.next()
        while event == .refused(.wrongCluster) { event = await client.next() }
        #expect(event == .connected(hello))
        client.shutDown()
        server.shutDown()
    }

    @Test("After close the open calls end, and the delegate hears nothing more")
    func close() async throws {
        let server = try EchoServer()
        let client = await TestClient(server.address)
        #expect(await client.next() == .connected(hello))
        async let open = client.call(.recall)
        while await client.outstanding == 0 { await Task.yield() }
        await client.close()
        #expect(await open.status == .unreachable)
        #expect(await client.call(.lookup).status == .unreachable)
        client.shutDown()
        server.shutDown()
    }
}
