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
    /// Of the round: chunks `firstChunk ..< end` of one data ID, or all of them, however many there are.
    struct Piece {
        let data: DataID
        let firstChunk: UInt64
        let end: UInt64
        let isWhole: Bool

        init(data: DataID, firstChunk: UInt64, end: UInt64) {
            (self.data, self.firstChunk, self.end, isWhole) = (data, firstChunk, end, false)
        }

        /// Everything; `end` is the entry's chunk count.
        init(data: DataID, end: UInt64) { (self.data, firstChunk, self.end, isWhole) = (data, 0, end, true) }
    }
    var phase = Phase.idle
    var pieces: [Piece] = []
    /// The round took as much as one may: there may be more.
    var isFull = false
    /// Some node did not delete what it was asked to.
    var hasFailed = false
    /// Not looked at before.
    var nextLook = MonotonicInstant(.min)
    /// A round begins above the last one's content, as the store walks over all that was deleted before the first entry
    /// it finds; and from `nextPass` on at the front again, where content that is older than that may have been queued.
    var position = DataID.none
    var nextPass = MonotonicInstant(.min)
}
