import ShoalTransport
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@Suite("Peers that send anything", .timeLimit(.minutes(3)))
struct HostileTests {
    @Test("100 MB of random bytes leave one line in the log, and other clients are served")
    func randomFlood() async throws {
        var random = SeededGenerator("randomFlood")
        let server = try EchoServer(complaints: Complaints(interval: .seconds(1000)))
        let client = await TestClient(server.address)
        let noise = random.bytes(1 << 20)
        for _ in 0..<100 {
            let hostile = RawClient(server.address)
            hostile.send(noise)
            #expect(await client.call(.lookup, message: [1]).message == [1])
        }
        #expect(server.log.lines.count == 1)
        #expect(server.log.lines.first?.hasPrefix("Closed a connection from 127.0.0.1:") == true)
        client.shutDown()
        server.shutDown()
    }

    @Test("A client of another protocol is closed")
    func http() throws {
        let server = try EchoServer()
        let browser = RawClient(server.address)
        browser.send(Array("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a browser\r\n\r\n".utf8))
        #expect(browser.isClosedByPeer())
        #expect(server.log.lines.count == 1)
        #expect(server.log.lines.first?.hasSuffix("what it sent is not a Shoal frame") == true)
        server.shutDown()
    }

    @Test("1,000 mutated frames, before and after the handshake, harm nobody else")
    func mutatedFrames() async throws {
        var random = SeededGenerator("mutatedFrames")
        let server = try EchoServer()
        let client = await TestClient(server.address)
        for _ in 0..<1000 {
            let hostile = RawClient(server.address)
            let isGreeted = Bool.random(using: &random)
            if isGreeted { #expect(hostile.greet() != nil) }
            var frame = RawClient.frame(
                .request, isGreeted ? ShoalWire.Operation.writeChunk.rawValue : ShoalWire.Operation.hello.rawValue, 0,
                Hello(role: .client, cluster: .unknown).encoded(), payload: random.bytes(isGreeted ? 300 : 0))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: frame.removeLast(Int.random(in: 1...frame.count, using: &random))
            case 1: frame += random.bytes(Int.random(in: 1...300, using: &random))
            default:
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    let index = Int.random(in: 0..<frame.count, using: &random)
                    frame[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
            }
            hostile.send(frame)
            if Bool.random(using: &random) { hostile.endOutput() }
        }
        #expect(await client.call(.lookup, message: [2]).message == [2])
        client.shutDown()
        server.shutDown()
    }

    @Test("An operation that this release does not know is a bad request, and the connection stays")
    func unknownOperation() throws {
        let server = try EchoServer()
        let client = RawClient(server.address)
        #expect(client.greet() != nil)
        client.send(RawClient.frame(.request, 60_000, 77, [1, 2, 3], payload: [4]))
        client.send(RawClient.frame(.notice, 60_000, 0, []))
        client.send(RawClient.frame(.reply, ShoalWire.Operation.lookup.rawValue, 12_345, []))
        client.send(RawClient.frame(.request, ShoalWire.Operation.hello.rawValue, 78, []))
        client.send(RawClient.frame(.request, ShoalWire.Operation.lookup.rawValue, 79, [6]))
        for id: UInt64 in [77, 78] {
            let reply = try #require(client.receiveFrame())
            #expect(reply.header.requestID == id)
            #expect(WireStatus(rawValue: reply.header.status) == .badRequest)
        }
        #expect(client.receiveFrame()?.message == [6])
        #expect(server.log.lines.isEmpty)
        server.shutDown()
    }

    @Test("A frame in single bytes is put together; a request before the hello closes the connection")
    func pieces() throws {
        let server = try EchoServer()
        let slow = RawClient(server.address)
        let frame = RawClient.frame(
            .request, ShoalWire.Operation.hello.rawValue, 0, Hello(role: .client, cluster: .unknown).encoded())
        for byte in frame { slow.send([byte]) }
        #expect(slow.receiveFrame()?.header.status == 0)
        let early = RawClient(server.address)
        early.send(RawClient.frame(.request, ShoalWire.Operation.lookup.rawValue, 1, []))
        #expect(early.isClosedByPeer())
        #expect(server.log.lines.count == 1)
        server.shutDown()
    }
}
