import ShoalTypes
import ShoalWire

/// One open file of a process (`struct file` of the kernel), as the mount numbers it.
package struct OpenFileID: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// One call of fcntl(2) F_SETLK, F_SETLKW or flock(2), until it is answered.
package final class LockCall {
    enum State {
        /// To be sent when those before it of the same owner have been answered, and the session is open.
        case unsent
        case sent
        /// The server will tell of the grant.
        case queued
        /// Queued, and the server has been asked to forget it.
        case cancelling
        case done
    }
    let target: LockTarget
    /// Nil for what the kernel does at the end of a process or a file.
    let file: OpenFileID?
    let range: LockRange
    /// Nil unlocks.
    let mode: LockMode?
    let process: UInt32
    let waits: Bool
    /// In order of arrival.
    let ticket: UInt64
    /// When the call fails if the server has not answered; a wait in its queue has no end.
    let deadline: MonotonicInstant
    var state = State.unsent
    /// Tells answers to an earlier copy from those to the latest.
    var attempt = 0
    /// The server may have executed it, and it has not been answered.
    var mayHaveRun = false
    var isInterrupted = false
    var hasDeadlineTimer = false
    private var completion: Completion<Void>?
    package var isDone: Bool { state == .done }

    init(
        target: LockTarget, file: OpenFileID?, range: LockRange, mode: LockMode?, process: UInt32, waits: Bool,
        ticket: UInt64, deadline: MonotonicInstant, completion: @escaping Completion<Void>
    ) {
        self.target = target
        self.file = file
        self.range = range
        self.mode = mode
        self.process = process
        self.waits = waits
        self.ticket = ticket
        self.deadline = deadline
        self.completion = completion
    }

    /// Answers the caller, the first time.
    func answer(_ result: Result<Void, FileError>) {
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }

    func request(in session: SessionID) -> SetLockRequest {
        var message = SetLockRequest()
        message.session = session
        message.target = target
        message.range = range
        message.mode = mode
        message.process = process
        message.ticket = waits ? ticket : 0
        return message
    }
}
