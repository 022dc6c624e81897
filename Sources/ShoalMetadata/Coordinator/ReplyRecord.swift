import ShoalTypes
import ShoalWire

/// The reply to a session's change, committed with the change, so that a retry is answered and not executed again. The
/// grants are left out: a retry is told what it holds then. A session has at most `Caller.changesInFlightMax` of them.
///
/// Layout after the format byte: change u64, operation u16, message (count u32, bytes).
struct ReplyRecord: StoredRecord, Equatable {
    var change: UInt64 = 0
    var operation: UInt16 = 0
    var message: [UInt8] = []
    init() {}
    init(change: UInt64, operation: UInt16, message: [UInt8]) {
        self.change = change
        self.operation = operation
        self.message = message
    }
    mutating func code(_ coder: inout WireCoder) {
        coder.integer(&change)
        coder.integer(&operation)
        coder.bytes(&message, max: FrameHeader.messageBytesMax)
    }

    static func key(_ session: SessionID, change: UInt64) -> [UInt8] {
        Keys.sessionReply(session, slot: UInt8(change % Caller.changesInFlightMax))
    }
}
