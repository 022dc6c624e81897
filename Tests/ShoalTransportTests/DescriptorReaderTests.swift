import Glibc
import ShoalRPC
import ShoalTransport
import ShoalTypes
import Testing

@Suite("Reading messages from a descriptor", .timeLimit(.minutes(1)))
struct DescriptorReaderTests {
    @Test("Each message arrives whole and in order, and the end is told once", arguments: [true, false])
    func messages(endsFromAfar: Bool) async throws {
        // Like /dev/fuse, a sequenced-packet socket gives one message per read(2).
        var ends: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
        var random = SeededGenerator("messages")
        let loop = Loop(name: "reader")
        let (stream, events) = AsyncStream<[UInt8]?>.makeStream()
        let reader = DescriptorReader(
            descriptor: ends[0], bytesMax: (1 << 20) + 4096, loop: loop, sender: { _ in nil },
            onMessage: { message in
                precondition(loop.isCurrent)
                events.yield([UInt8](message))
            }, onEnd: { events.yield(nil) })
        var received = stream.makeAsyncIterator()
        for _ in 0..<200 {
            let message = random.bytes(Int.random(in: 1...100_000, using: &random))
            #expect(write(ends[1], message, message.count) == message.count)
            #expect(await received.next() == .some(message))
        }
        if !endsFromAfar { reader.close() }
        close(ends[1])
        #expect(await received.next() == .some(nil))
        loop.shutDown()
        events.finish()
        #expect(await received.next() == nil)
    }

    @Test("A loop's timers run once their time has come, in order, and not when cancelled")
    func timers() async {
        let loop = Loop(name: "timers")
        let (stream, events) = AsyncStream<Int>.makeStream()
        loop.execute {
            let start = loop.now
            loop.schedule(after: .milliseconds(30)) {
                precondition(loop.now - start >= .milliseconds(30))
                events.yield(3)
            }
            loop.schedule(after: .milliseconds(10)) { events.yield(2) }.cancel()
            loop.schedule(after: .milliseconds(0)) { events.yield(9) }.cancel()
            loop.schedule(after: .milliseconds(0)) { events.yield(1) }
        }
        var fired = stream.makeAsyncIterator()
        #expect(await fired.next() == 1)
        #expect(await fired.next() == 3)
        loop.shutDown()
    }
}
