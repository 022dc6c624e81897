import ShoalTypes
import ShoalWire

/// A request that waits for leases to come back. It is tried again from scratch whenever something it waits for
/// changes.
final class WaitingOperation {
    /// Its place in the queue: when it first had to wait.
    let number: UInt64
    let session: Session
    let change: UInt64
    /// Replaced when the session sends the request again.
    var request: RequestID
    /// No new lease on these is given to another session while it waits.
    var blocks: [InodeID] = []
    /// Foreign writers of these are asked for their size.
    var watches: [InodeID] = []
    /// Names that every other session forgets before it can execute.
    var names: [InodeID: [FileName]] = [:]
    /// Who has forgotten them since it arrived. Until it has executed nobody learns them anew, but by changing them.
    var forgotten: Set<Recalls.Key> = []
    /// What writers have answered since it arrived, under the lease that they held then.
    var glimpses: [Recalls.Key: (sequence: LeaseSequence, reply: GlimpseReply)] = [:]
    let attempt: (WaitingOperation) -> Attempt

    init(
        number: UInt64, session: Session, change: UInt64, request: RequestID,
        attempt: @escaping (WaitingOperation) -> Attempt
    ) {
        self.number = number
        self.session = session
        self.change = change
        self.request = request
        self.attempt = attempt
    }
}

/// What came of trying an operation.
enum Attempt {
    /// It has been answered.
    case done
    case wait(Obstacles)
}

/// Why an operation cannot execute yet.
struct Obstacles {
    /// Leases to ask back, down to a mode.
    var recalls: [(inode: InodeID, holder: LeaseHolder, target: LeaseMode)] = []
    var names: [InodeID: [FileName]] = [:]
    var glimpses: [(inode: InodeID, holder: LeaseHolder)] = []
    /// An earlier request is waiting for the same lease.
    var isBehindAnother = false
    var blocks: [InodeID] = []
    var watches: [InodeID] = []

    var isEmpty: Bool { recalls.isEmpty && glimpses.isEmpty && !isBehindAnother }
}
