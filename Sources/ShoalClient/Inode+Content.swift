import ShoalTypes

/// What is in memory of a file's content, and what is known of it for writing.
final class InodeContent {
    fileprivate var blocks: [UInt64: CacheBlock] = [:]
    fileprivate var dirtyBlocks: Set<UInt64> = []
    fileprivate var flushesInFlight = 0
    fileprivate var ledger: BlockLedger
    fileprivate var unsyncedChunks: Set<UInt32> = []
    fileprivate var chunkVersion: UInt64
    fileprivate var flushWaiters: [() -> Void] = []
    fileprivate var readAhead = ReadAheadState()

    fileprivate init(_ ledger: BlockLedger, chunkVersion: UInt64) {
        self.ledger = ledger
        self.chunkVersion = chunkVersion
    }
}

extension Inode {
    var blocks: [UInt64: CacheBlock] {
        _read { if let content { yield content.blocks } else { yield Dictionary() } }
        _modify { yield &madeContent.blocks }
    }
    /// Blocks with dirty pages, ascending when flushed.
    var dirtyBlocks: Set<UInt64> {
        _read { if let content { yield content.dirtyBlocks } else { yield Set() } }
        _modify { yield &madeContent.dirtyBlocks }
    }
    /// Blocks being written to the nodes.
    var flushesInFlight: Int {
        get { content?.flushesInFlight ?? 0 }
        set { madeContent.flushesInFlight = newValue }
    }
    /// What the chunks take, under the write lease.
    var ledger: BlockLedger {
        _read { if let content { yield content.ledger } else { yield BlockLedger(attributes) } }
        _modify { yield &madeContent.ledger }
    }
    /// Chunks that this mount wrote and has not synced.
    var unsyncedChunks: Set<UInt32> {
        _read { if let content { yield content.unsyncedChunks } else { yield Set() } }
        _modify { yield &madeContent.unsyncedChunks }
    }
    /// Numbers the writes to this file's chunks; it never goes back.
    var chunkVersion: UInt64 {
        get { content?.chunkVersion ?? firstChunkVersion }
        set { madeContent.chunkVersion = newValue }
    }
    /// Told whenever a flush or a commit ends.
    var flushWaiters: [() -> Void] {
        _read { if let content { yield content.flushWaiters } else { yield Array() } }
        _modify { yield &madeContent.flushWaiters }
    }
    var readAhead: ReadAheadState {
        _read { if let content { yield content.readAhead } else { yield ReadAheadState() } }
        _modify { yield &madeContent.readAhead }
    }

    private var madeContent: InodeContent {
        if let content { return content }
        let made = InodeContent(BlockLedger(attributes), chunkVersion: firstChunkVersion)
        content = made
        return made
    }

    private var firstChunkVersion: UInt64 { UInt64(generation) << 32 }

    /// The lease allows writing from now on: what the attributes say of the space is what there is.
    func beginLedger() {
        if content != nil { ledger = BlockLedger(attributes) }
    }

    /// Nothing is in memory and nothing under way: all that is left is what the attributes say too, and what need not be
    /// known. The next content numbers its writes further on.
    func shedContent() {
        guard let content, content.blocks.isEmpty, content.flushesInFlight == 0, content.flushWaiters.isEmpty,
            !needsCommit, !isCommitting, !isSettingSize, !isInFlushQueue, !isLearningBlocks, !hasNoRoomPastEnd
        else { return }
        if !content.unsyncedChunks.isEmpty { mayHaveForeignUnsynced = true }
        generation += 1
        self.content = nil
    }
}
