import ShoalTypes

/// A change of a chunk's content under a write lease: what every such request begins with, and is admitted by.
package protocol ChunkChangeRequest: WireMessage {
    var epoch: Epoch { get set }
    var session: SessionID { get set }
    var generation: ConnectionGeneration { get set }
    var sequence: LeaseSequence { get set }
    var chunk: ChunkID { get set }
    /// The blocks whose content it decides; up to `Int.max` for all from a place on.
    var changedBlocks: Range<Int> { get }
}

extension ChunkChangeRequest {
    mutating func codeAdmission(_ coder: inout WireCoder) {
        coder.number(&epoch)
        coder.number(&session)
        coder.number(&generation)
        coder.number(&sequence)
        coder.chunk(&chunk)
    }
}
