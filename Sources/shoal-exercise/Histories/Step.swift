/// What a process is told to do with one object, as words on a pipe.
struct Step {
    enum Action: UInt64 {
        // Making and leaving an object.
        case makeFile, makeDirectories, makeDocument
        case openReader, closeWriter, forget, remove
        // Blocks, each of which is a register.
        case writeKept, writeFresh, readWriter, readKept, readFresh
        // Sizes.
        case truncateKept, truncatePath, extend
        case sizeOfKept, sizeOfPath, sizeBySeeking, sizeByReading
        // Logs.
        case append, appendFresh, tailKept, tailFresh
        // Counters.
        case increment, incrementFresh, numberKept, numberWriter, numberFresh
        // Names.
        case create, unlink, rename, look, list
        // A file that is replaced as a whole.
        case replace, readDocument
    }

    /// Its number is part of its path.
    var object: UInt64
    var action: Action
    /// A block, a size, a place in a log, a kind of lock, names: as the action says.
    var argument: UInt64 = 0
    /// What to write.
    var value: UInt64 = 0

    static let wordCount = 4
    var words: [UInt64] { [object, action.rawValue, argument, value] }

    init(_ object: UInt64, _ action: Action, _ argument: UInt64 = 0, value: UInt64 = 0) {
        (self.object, self.action, self.argument, self.value) = (object, action, argument, value)
    }

    init(words: ArraySlice<UInt64>) throws {
        let words = Array(words)
        guard words.count == Step.wordCount, let action = Action(rawValue: words[1]) else {
            throw Broken("a step of \(words.count) words")
        }
        self.init(words[0], action, words[2], value: words[3])
    }

    var text: String {
        switch action {
        case .makeFile, .makeDirectories, .makeDocument, .openReader, .closeWriter, .forget, .remove: "\(action)"
        case .writeKept, .writeFresh: "\(action) block \(argument) value \(value)"
        case .readWriter, .readKept, .readFresh: "\(action) block \(argument)"
        case .truncateKept, .truncatePath, .extend: "\(action) to \(argument)"
        case .append, .appendFresh, .replace: "\(action) \(value)"
        case .tailKept, .tailFresh: "\(action) from record \(argument)"
        case .create, .unlink, .look: "\(action) \(NameSet.name(Int(argument)))"
        case .rename: "\(action) \(NameSet.name(Int(argument))) to \(NameSet.name(Int(value)))"
        default: "\(action)"
        }
    }
}

/// What came of a step.
struct Outcome {
    /// On the monotonic clock that all processes share, in nanoseconds.
    var begin: Int
    var end: Int
    /// Minus an errno, or what the call returned.
    var result: Int
    /// What was found.
    var found: [UInt64]

    var words: [UInt64] {
        [UInt64(begin), UInt64(end), UInt64(bitPattern: Int64(result)), UInt64(found.count)] + found
    }

    /// Takes the first outcome off `words`.
    init(from words: inout ArraySlice<UInt64>) throws {
        let head = Array(words.prefix(4))
        guard head.count == 4, words.count >= 4 + Int(head[3]) else { throw Broken("an outcome that is cut off") }
        (begin, end, result) = (Int(head[0]), Int(head[1]), Int(Int64(bitPattern: head[2])))
        found = Array(words.dropFirst(4).prefix(Int(head[3])))
        words = words.dropFirst(4 + found.count)
    }

    init(begin: Int, end: Int, result: Int, found: [UInt64]) {
        (self.begin, self.end, self.result, self.found) = (begin, end, result, found)
    }
}

/// A step that was done, by whom, and what came of it.
struct Event {
    let process: Int
    let mount: Int
    let step: Step
    let outcome: Outcome
}
