import ShoalTypes
import ShoalWire

/// What sessions have been asked and have not yet answered: leases to give back, and sizes to tell. Kept apart from the
/// connection that the question went out on, so that it can be asked again on the next one.
struct Recalls {
    struct Key: Hashable, Comparable {
        let inode: InodeID
        let session: SessionID
        static func < (lhs: Key, rhs: Key) -> Bool { (lhs.inode, lhs.session) < (rhs.inode, rhs.session) }
    }
    struct Recall {
        let sequence: LeaseSequence
        let target: LeaseMode
        var names: [FileName] = []
        let firstAskedAt: MonotonicInstant
        /// The lease is wanted back for its age only.
        let isCold: Bool
        /// Nil while it has to be asked (again).
        var question: QuestionID?
    }
    struct Glimpse {
        let sequence: LeaseSequence
        let firstAskedAt: MonotonicInstant
        /// Requests up to this number arrived before the question left, so that the answer is new enough for them.
        var answersUpTo: UInt64
        var question: QuestionID?
    }
    private(set) var recalls: [Key: Recall] = [:]
    private(set) var glimpses: [Key: Glimpse] = [:]
    private var recallQuestions: [QuestionID: Key] = [:]
    private var glimpseQuestions: [QuestionID: Key] = [:]

    var isEmpty: Bool { recalls.isEmpty && glimpses.isEmpty }

    func recall(_ inode: InodeID, _ session: SessionID) -> Recall? {
        recalls.isEmpty ? nil : recalls[Key(inode: inode, session: session)]
    }

    mutating func set(_ key: Key, _ recall: Recall) {
        if let question = recalls[key]?.question { recallQuestions[question] = nil }
        recalls[key] = recall
        if let question = recall.question { recallQuestions[question] = key }
    }

    mutating func set(_ key: Key, _ glimpse: Glimpse) {
        if let question = glimpses[key]?.question { glimpseQuestions[question] = nil }
        glimpses[key] = glimpse
        if let question = glimpse.question { glimpseQuestions[question] = key }
    }

    @discardableResult
    mutating func removeRecall(_ key: Key) -> Recall? {
        guard let recall = recalls.removeValue(forKey: key) else { return nil }
        if let question = recall.question { recallQuestions[question] = nil }
        return recall
    }

    mutating func removeGlimpse(_ key: Key) {
        guard let glimpse = glimpses.removeValue(forKey: key) else { return }
        if let question = glimpse.question { glimpseQuestions[question] = nil }
    }

    /// The recall that `question` asked, which is now to be asked again unless it is removed.
    mutating func recallAnswered(_ question: QuestionID) -> (Key, Recall)? {
        guard let key = recallQuestions.removeValue(forKey: question), var recall = recalls[key] else { return nil }
        recall.question = nil
        recalls[key] = recall
        return (key, recall)
    }

    mutating func glimpseAnswered(_ question: QuestionID) -> (Key, Glimpse)? {
        guard let key = glimpseQuestions.removeValue(forKey: question), var glimpse = glimpses[key] else { return nil }
        glimpse.question = nil
        glimpses[key] = glimpse
        return (key, glimpse)
    }

    /// The session's connection is gone: what was asked on it is asked again on the next.
    mutating func connectionLost(by session: SessionID) {
        for (key, recall) in recalls where key.session == session {
            guard let question = recall.question else { continue }
            recallQuestions[question] = nil
            recalls[key]?.question = nil
        }
        for (key, glimpse) in glimpses where key.session == session {
            guard let question = glimpse.question else { continue }
            glimpseQuestions[question] = nil
            glimpses[key]?.question = nil
        }
    }

    /// The session has ended.
    mutating func removeAll(of session: SessionID) {
        for key in recallsInOrder where key.session == session { removeRecall(key) }
        for key in glimpsesInOrder where key.session == session { removeGlimpse(key) }
    }

    /// Keys in order, so that nothing depends on the order of a hash table.
    var recallsInOrder: [Key] { recalls.keys.sorted() }
    var glimpsesInOrder: [Key] { glimpses.keys.sorted() }
}
