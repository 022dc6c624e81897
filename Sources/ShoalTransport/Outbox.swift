import NIOCore
import Synchronization

/// A reply that is put together: `head`, if there is one, then `rest`.
struct ReadyReply: Sendable {
    var head: ByteBuffer?
    var rest: ByteBuffer
    /// Of the request that it answers.
    var requestBytes: Int
    var bytes: Int { (head?.readableBytes ?? 0) + rest.readableBytes }
}

/// Replies from other threads on their way to a connection's loop. The loop is woken once for all that are there.
final class Outbox: Sendable {
    private let replies = Mutex<[ReadyReply]>([])

    /// Returns whether the loop has to be woken.
    func add(_ reply: ReadyReply) -> Bool {
        replies.withLock { replies in
            replies.append(reply)
            return replies.count == 1
        }
    }

    func takeAll() -> [ReadyReply] {
        replies.withLock { replies in
            defer { replies = [] }
            return replies
        }
    }
}

extension Connection {
    /// From any thread.
    func hand(over reply: ReadyReply) {
        guard outbox.add(reply) else { return }
        loop.execute {
            for reply in self.outbox.takeAll() { self.send(reply) }
        }
    }

    /// On the loop.
    func send(_ reply: ReadyReply) {
        answered(reply.requestBytes)
        guard hasRoom else { return failLater(.outputFull) }
        if let head = reply.head { send(whole: head, isReply: true) }
        send(whole: reply.rest, isReply: true)
    }
}
