import ShoalTypes

/// How far the deletion of content that nothing refers to has come. One round at a time: a bounded number of chunks,
/// from the front of the stored queue. The queue is what survives a restart; this only says what is under way.
struct ReclaimState {
    enum Phase {
        case idle
        /// The entries must survive the loss of power before their chunks go: no file may come back without its
        /// content.
        case syncing(QuestionID)
        /// Questions to nodes that are open.
        case deleting(Set<QuestionID>)
    }
    /// Of the round: chunks `firstChunk ..< end` of one data ID.
    struct Piece {
        let data: DataID
        let firstChunk: UInt64
        let end: UInt64
        /// Nodes look for what they have of it.
        var isWhole = false
    }
    var phase = Phase.idle
    var pieces: [Piece] = []
    /// Some node did not delete what it was asked to.
    var hasFailed = false
    /// Not looked at before.
    var nextLook = MonotonicInstant(.min)
}
