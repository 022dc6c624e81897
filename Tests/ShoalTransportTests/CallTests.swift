import ShoalTransport
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@Suite("Calls over a connection", .timeLimit(.minutes(2)))
struct CallTests {
    @Test("A reply carries back the message and payload of its request, of any size up to the limits")
    func payloadIntegrity() async throws {
        var random = SeededGenerator("payloadIntegrity")
        let server = try EchoServer()
        let client = await TestClient(server.address)
        let sizes = [0, 1, 39, 4096, 65_535, 65_536, 65_537, 262_144, 1 << 20, FrameHeader.payloadBytesMax]
        for operation in [ShoalWire.Operation.writeChunk, .readChunk] {
            for size in sizes {
                let message = random.bytes(Int.random(in: 0...5000, using: &random))
                let payload = random.bytes(size)
                let split = Int.random(in: 0...size, using: &random)
                let answer = await client.call(
                    operation, message: message, payload: [Array(payload[..<split]), Array(payload[split...])])
                #expect(answer == TestClient.Answer(status: .ok, message: message, payload: payload))
            }
        }
        let longest = random.bytes(FrameHeader.messageBytesMax)
        #expect(await client.call(.lookup, message: longest).message == longest)
        client.shutDown()
        server.shutDown()
    }

    @Test("Many calls in flight at once each get their own reply, whatever thread answers")
    func manyInFlight() async throws {
        var random = SeededGenerator("manyInFlight")
        let server = try EchoServer()
        let client = await TestClient(server.address)
        let calls = (0..<2000).map { index in
            let operations: [ShoalWire.Operation] = [.lookup, .getAttributes, .readChunk, .writeChunk]
            let large = index % 100 == 0
            return (
                operation: operations[index % 4], message: random.bytes(Int.random(in: 0...200, using: &random)),
                payload: random.bytes(
                    index % 4 < 2 ? 0 : Int.random(in: 0...(large ? 1 << 20 : 5000), using: &random))
            )
        }
        await withTaskGroup(of: Bool.self) { group in
            for call in calls {
                group.addTask {
                    let answer = await client.call(call.operation, message: call.message, payload: [call.payload])
                    return answer.status == .ok && answer.message == call.message && answer.payload == call.payload
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        #expect(await client.outstanding == 0)
        client.shutDown()
        server.shutDown()
    }

    @Test("The side that was dialled calls back on the same connection")
    func callsBack() async throws {
        let server = try EchoServer()
        let client = await TestClient(server.address)
        #expect(await client.call(.heartbeat, message: [1, 2, 3]).message == [3, 2, 1])
        client.shutDown()
        server.shutDown()
    }

    @Test("A notice arrives, and has no reply")
    func notices() async throws {
        let server = try EchoServer()
        let client = await TestClient(server.address)
        let hello = Hello(role: .node, cluster: ClusterID(7), node: NodeID(3))
        #expect(await client.next() == .connected(hello))
        server.notifyAll(Bytes([5, 6]))
        #expect(await client.next() == .notice(.mapChanged, [5, 6]))
        client.shutDown()
        server.shutDown()
    }

    @Test("A call without a reply ends at its deadline, and the late reply goes nowhere")
    func deadline() async throws {
        let server = try EchoServer()
        let client = await TestClient(server.address)
        _ = await client.call(.lookup)
        let start = client.loop.now
        #expect(await client.call(.recall, deadline: .milliseconds(50)).status == .unreachable)
        #expect(client.loop.now - start >= .milliseconds(50))
        #expect(client.loop.now - start < .seconds(5))
        server.forgetKept()
        #expect(await client.call(.lookup, message: [9]).message == [9])
        #expect(await client.outstanding == 0)
        client.shutDown()
        server.shutDown()
    }

    @Test("A responder that is dropped answers with an I/O error")
    func droppedResponder() async throws {
        let server = try EchoServer()
        let client = await TestClient(server.address)
        #expect(await client.call(.glimpse).status == .failed(.inputOutput))
        client.shutDown()
        server.shutDown()
    }

    @Test("Requests above the limit of unanswered ones are told to come back")
    func unansweredRequests() async throws {
        var limits = TransportLimits.production
        limits.unansweredRequestsMax = 3
        let server = try EchoServer(limits: limits)
        let client = await TestClient(server.address)
        await withTaskGroup(of: WireStatus.self) { group in
            for _ in 0..<5 {
                group.addTask { await client.call(.recall, deadline: .milliseconds(300)).status }
            }
            var answers: [WireStatus] = []
            for await status in group { answers.append(status) }
            #expect(answers.filter { $0 == .notReady }.count == 2)
            #expect(answers.filter { $0 == .unreachable }.count == 3)
        }
        server.forgetKept()
        var status = WireStatus.notReady
        while status == .notReady { status = await client.call(.lookup).status }
        #expect(status == .ok)
        client.shutDown()
        server.shutDown()
    }
}
