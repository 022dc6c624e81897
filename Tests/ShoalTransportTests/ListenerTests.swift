import ShoalTransport
import ShoalTypes
import ShoalWire
import Synchronization
import Testing

@Suite("Listening", .timeLimit(.minutes(1)))
struct ListenerTests {
    @Test("Addresses are HOST:PORT, IPv6 in brackets", arguments: ["localhost:80", "127.0.0.1:0", "[::1]:65535"])
    func addresses(text: String) throws {
        #expect(try HostPort(parsing: text).description == text)
    }

    @Test("What is not HOST:PORT is refused", arguments: ["", ":", "x", "x:", ":1", "x:65536", "x:-1", "::1:5"])
    func badAddresses(text: String) {
        #expect(throws: TransportError.badAddress(text)) { try HostPort(parsing: text) }
    }

    @Test("An address that other machines can reach is refused", arguments: ["0.0.0.0", "::", "192.0.2.1"])
    func notLoopback(host: String) {
        let address = HostPort(host: host, port: 0)
        #expect(throws: TransportError.notLoopback(address)) { try EchoServer(binding: address) }
    }

    @Test("A port in use is told apart from other failures")
    func addressInUse() throws {
        let server = try EchoServer()
        #expect(throws: TransportError.addressInUse(server.address)) { try EchoServer(binding: server.address) }
        server.shutDown()
    }

    @Test("Connections above the limit are closed at once, and there is room again when one ends")
    func tooManyConnections() async throws {
        var limits = TransportLimits.production
        limits.inboundConnectionsMax = 2
        let server = try EchoServer(limits: limits)
        let first = RawClient(server.address)
        #expect(first.greet() != nil)
        do {
            let second = RawClient(server.address)
            #expect(second.greet() != nil)
            #expect(RawClient(server.address).isClosedByPeer())
        }
        var isIn = false
        while !isIn { isIn = RawClient(server.address).greet() != nil }
        server.shutDown()
    }

    @Test("A side that sends no hello in time is closed")
    func handshakeTimeout() throws {
        var limits = TransportLimits.production
        limits.handshake = .milliseconds(50)
        let server = try EchoServer(limits: limits)
        let silent = RawClient(server.address)
        #expect(silent.isClosedByPeer())
        #expect(server.log.lines.count == 1)
        #expect(server.log.lines.first?.contains("did not finish the handshake in time") == true)
        server.shutDown()
    }

    @Test("A side that speaks no common version is refused")
    func noCommonVersion() throws {
        let server = try EchoServer()
        let client = RawClient(server.address)
        var hello = Hello(role: .client, cluster: .unknown)
        hello.minimumVersion = 200
        hello.maximumVersion = 201
        client.send(RawClient.frame(.request, ShoalWire.Operation.hello.rawValue, 0, hello.encoded()))
        let reply = try #require(client.receiveFrame())
        #expect(WireStatus(rawValue: reply.header.status) == .failed(.notSupported))
        #expect(client.isClosedByPeer())
        server.shutDown()
    }

    @Test("A side that asks for much and takes nothing is not read from, and gets all of it when it does take it")
    func backpressure() async throws {
        var limits = TransportLimits.production
        limits.outputBytesHigh = 1 << 20
        limits.outputBytesLow = 1 << 19
        limits.outputBytesMax = 8 << 20
        let server = try EchoServer(limits: limits)
        let greedy = RawClient(server.address)
        #expect(greedy.greet() != nil)
        let count = 400
        for id in 1...UInt64(count) {
            greedy.send(RawClient.frame(.request, ShoalWire.Operation.syncChunks.rawValue, id, []))
        }
        // Others are served meanwhile; by then the server has seen what it is going to see.
        let client = await TestClient(server.address)
        for _ in 0..<200 { #expect(await client.call(.lookup).status == .ok) }
        #expect(server.requests.load(ordering: .relaxed) - 200 < count / 2)
        for id in 1...UInt64(count) {
            let reply = try #require(greedy.receiveFrame())
            #expect(reply.header.requestID == id)
            #expect(reply.payload.count == 256 << 10)
        }
        client.shutDown()
        server.shutDown()
    }
}
