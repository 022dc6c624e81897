import ShoalTypes

/// The queue of requests that wait for leases, by arrival, and an index by inode.
///
/// Fairness: while a request waits for an inode, no other session is granted a new lease on it, except an
/// `acquireLease` that arrived earlier. So a request waits for the leases that were out when it arrived, each of which
/// comes back within a bound, and for earlier requests only: nothing waits in a circle or for ever.
struct WaitingOperations {
    private struct Place {
        let number: UInt64
        let session: SessionID
        let isBlocking: Bool
    }
    private var operations: [UInt64: WaitingOperation] = [:]
    /// Ascending by number.
    private var places: [InodeID: [Place]] = [:]
    private var ready: Set<UInt64> = []
    private var lastNumber: UInt64 = 0

    var count: Int { operations.count }
    var isEmpty: Bool { operations.isEmpty }
    var newest: UInt64 { lastNumber }

    mutating func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func insert(_ operation: WaitingOperation) {
        operations[operation.number] = operation
        operation.session.waitingCount += 1
        for inode in operation.blocks { place(operation, at: inode, isBlocking: true) }
        for inode in operation.watches { place(operation, at: inode, isBlocking: false) }
    }

    private mutating func place(_ operation: WaitingOperation, at inode: InodeID, isBlocking: Bool) {
        let place = Place(number: operation.number, session: operation.session.id, isBlocking: isBlocking)
        var list = places[inode] ?? []
        list.insert(place, at: list.firstIndex { $0.number > place.number } ?? list.endIndex)
        places[inode] = list
    }

    mutating func remove(_ operation: WaitingOperation) {
        guard operations.removeValue(forKey: operation.number) != nil else { return }
        operation.session.waitingCount -= 1
        ready.remove(operation.number)
        for inode in operation.blocks + operation.watches {
            places[inode]?.removeAll { $0.number == operation.number }
            if places[inode]?.isEmpty == true { places[inode] = nil }
        }
    }

    /// Whether a request of another session that arrived before `number` keeps new leases on the inode from `session`.
    func isBlocked(_ inode: InodeID, for session: SessionID, before number: UInt64 = .max) -> Bool {
        guard !places.isEmpty, let list = places[inode] else { return false }
        return list.contains { $0.isBlocking && $0.session != session && $0.number < number }
    }

    /// The session has forgotten these names of the directory, and is given no lease to learn them under as long as
    /// somebody waits.
    func forgot(_ names: [FileName], _ key: Recalls.Key) {
        for operation in blocking(key.inode) where operation.names[key.inode]?.allSatisfy(names.contains) == true {
            operation.forgotten.insert(key)
        }
    }

    /// The session has renamed something to that name, and its kernel may have taken over what it knew under another.
    func mayKnow(_ name: FileName, in directory: InodeID, _ session: SessionID) {
        for operation in blocking(directory) where operation.names[directory]?.contains(name) == true {
            operation.forgotten.remove(Recalls.Key(inode: directory, session: session))
        }
    }

    /// The session has been given a lease on the directory that it asked for before: it may learn any name again.
    func mayLearn(_ directory: InodeID, _ session: SessionID) {
        for operation in blocking(directory) {
            operation.forgotten.remove(Recalls.Key(inode: directory, session: session))
        }
    }

    private func blocking(_ inode: InodeID) -> [WaitingOperation] {
        guard !places.isEmpty, let list = places[inode] else { return [] }
        return list.compactMap { $0.isBlocking ? operations[$0.number] : nil }
    }

    /// Something about the inode changed: whoever waits for it is tried again.
    mutating func wake(_ inode: InodeID) {
        guard !places.isEmpty, let list = places[inode] else { return }
        for place in list { ready.insert(place.number) }
    }

    /// Takes the earliest request that should be tried again out of the queue.
    mutating func takeReady() -> WaitingOperation? {
        guard let number = ready.min() else { return nil }
        ready.remove(number)
        guard let operation = operations[number] else { return nil }
        remove(operation)
        return operation
    }
    var hasReady: Bool { !ready.isEmpty }

    /// Those watching the inode that arrived at or before `number`.
    func watching(_ inode: InodeID, upTo number: UInt64) -> [WaitingOperation] {
        (places[inode] ?? []).filter { !$0.isBlocking && $0.number <= number }.compactMap { operations[$0.number] }
    }

    func waiting(for session: Session, change: UInt64) -> WaitingOperation? {
        guard session.waitingCount > 0 else { return nil }
        return operations.values.first { $0.session === session && $0.change == change }
    }

    /// By arrival.
    func all(of session: Session) -> [WaitingOperation] {
        guard session.waitingCount > 0 else { return [] }
        return operations.values.filter { $0.session === session }.sorted { $0.number < $1.number }
    }
}
