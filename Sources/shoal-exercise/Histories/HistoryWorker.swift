import CLinux
import Glibc

/// A process that does what it is told, on one mount, and notes when each call began and ended.
struct HistoryWorker {
    /// What it has open of one object.
    private struct Open {
        /// O_RDONLY: the kernel may answer from its pages.
        var reader: Int?
        /// O_RDWR.
        var writer: Int?
        /// O_WRONLY | O_APPEND.
        var appender: Int?
    }

    private let directory: String
    private let plant: PlantedHistoryFault?
    private var open: [UInt64: Open] = [:]
    private var random: Random
    /// Part of the names of files that take another's place.
    private let process: Int
    private var replacements = 0
    /// What was found before, by step: what a planted fault shows again.
    private var before: [[UInt64]: [UInt64]] = [:]

    /// - Parameter directory: As the mount of this process shows it.
    init(directory: String, process: Int, seed: UInt64, plant: PlantedHistoryFault?) {
        (self.directory, self.process, self.plant) = (directory, process, plant)
        random = Random(seed: seed &+ UInt64(process))
    }

    /// Until the end of the pipe: takes steps from it, and sends what came of them to the other.
    mutating func run(from commands: Int, to answers: Int) throws {
        while let words = try Words.receive(from: commands) {
            var answer: [UInt64] = []
            for start in stride(from: 0, to: words.count, by: Step.wordCount) {
                let step = try Step(words: words[start..<min(start + Step.wordCount, words.count)])
                answer += carryOut(step).words
            }
            try Words.send(answer, to: answers)
        }
    }

    private mutating func carryOut(_ step: Step) -> Outcome {
        if plant == .lost, [.writeKept, .writeFresh, .append].contains(step.action), random.one(in: 200) {
            let now = Words.now
            return Outcome(begin: now, end: Words.now, result: 0, found: [])
        }
        let begin = Words.now
        var (result, found) = perform(step)
        let end = Words.now
        if plant == .stale, [.readWriter, .readKept, .readFresh, .sizeOfPath, .readDocument].contains(step.action) {
            let key = [step.object, step.argument]
            let seen = before.updateValue(found, forKey: key)
            if random.one(in: 100), let seen { found = seen }
        }
        return Outcome(begin: begin, end: end, result: result, found: found)
    }

    private func path(_ step: Step) -> String { HistoryWorker.path(directory, step.object) }
    static func path(_ directory: String, _ object: UInt64) -> String { "\(directory)/object-\(object)" }

    private func name(_ step: Step, _ name: UInt64) -> String { "\(path(step))/\(NameSet.name(Int(name)))" }

    // MARK: Descriptors

    private typealias Found = (result: Int, found: [UInt64])

    /// With a descriptor that stays open.
    private mutating func kept(
        _ which: WritableKeyPath<Open, Int?>, _ step: Step, _ body: (Int) -> Found
    ) -> Found {
        if let file = open[step.object]?[keyPath: which] { return body(file) }
        let flags: CInt = which == \Open.reader ? O_RDONLY : which == \Open.writer ? O_RDWR : O_WRONLY | O_APPEND
        let file = Kernel.open(path(step), flags)
        guard file >= 0 else { return (file, []) }
        open[step.object, default: Open()][keyPath: which] = file
        return body(file)
    }

    /// With one that is closed afterwards; what close(2) says counts as well.
    private func fresh(_ path: String, _ flags: CInt, _ body: (Int) -> Found) -> Found {
        let file = Kernel.open(path, flags, mode: 0o644)
        guard file >= 0 else { return (file, []) }
        let answer = body(file)
        let closed = Kernel.close(file)
        return answer.result >= 0 && closed < 0 ? (closed, answer.found) : answer
    }

    private mutating func close(_ which: WritableKeyPath<Open, Int?>, _ step: Step) -> Int {
        guard let file = open[step.object]?[keyPath: which] else { return 0 }
        open[step.object]?[keyPath: which] = nil
        return Kernel.close(file)
    }

    // MARK: Steps

    private mutating func perform(_ step: Step) -> Found {
        let locks = plant != .unlocked
        return switch step.action {
        case .makeFile:
            fresh(path(step), O_RDWR | O_CREAT | O_EXCL) {
                (Kernel.call(SYS_ftruncate, $0, Int(step.argument)), [])
            }
        case .makeDirectories: makeDirectories(step)
        case .makeDocument: makeDocument(step)
        case .openReader:
            {
                let closed = close(\.reader, step)
                return closed < 0 ? (closed, []) : kept(\.reader, step) { ($0, []) }
            }()
        case .closeWriter: (close(\.writer, step), [])
        case .forget: (min(close(\.reader, step), close(\.writer, step), close(\.appender, step)), [])
        case .remove: (remove(path(step)), [])

        case .writeKept: kept(\.writer, step) { Blocks.write(step, $0) }
        case .writeFresh: fresh(path(step), O_WRONLY) { Blocks.write(step, $0) }
        case .readWriter: kept(\.writer, step) { Blocks.read(step, $0) }
        case .readKept: kept(\.reader, step) { Blocks.read(step, $0) }
        case .readFresh: fresh(path(step), O_RDONLY) { Blocks.read(step, $0) }

        case .truncateKept: kept(\.writer, step) { (Kernel.call(SYS_ftruncate, $0, Int(step.argument)), []) }
        case .truncatePath:
            (Kernel.with(path(step)) { Kernel.call(SYS_truncate, $0, Int(step.argument)) }, [])
        case .extend: kept(\.writer, step) { Sizes.extend(step, $0) }
        case .sizeOfKept: kept(\.reader, step) { Sizes.size(Kernel.status(file: $0)) }
        case .sizeOfPath: Sizes.size(Kernel.status(path(step)))
        case .sizeBySeeking: kept(\.reader, step) { Sizes.found(Kernel.call(SYS_lseek, $0, 0, Int(SEEK_END))) }
        case .sizeByReading: kept(\.writer, step) { Sizes.found(Kernel.read($0, Sizes.bytesMax * 2, at: 0).result) }

        case .append: kept(\.appender, step) { Records.append(step, $0) }
        case .appendFresh: fresh(path(step), O_WRONLY | O_APPEND) { Records.append(step, $0) }
        case .tailKept: kept(\.reader, step) { Records.read(step, $0) }
        case .tailFresh: fresh(path(step), O_RDONLY) { Records.read(step, $0) }

        case .increment:
            kept(\.writer, step) {
                Numbers.increment(step, $0, lock: locks, closes: false)
            }
        case .incrementFresh:
            fresh(path(step), O_RDWR) { Numbers.increment(step, $0, lock: locks, closes: true) }
        case .numberKept: kept(\.reader, step) { Numbers.read($0) }
        case .numberWriter: kept(\.writer, step) { Numbers.read($0) }
        case .numberFresh: fresh(path(step), O_RDONLY) { Numbers.read($0) }

        case .create:
            fresh(name(step, step.argument), O_RDWR | O_CREAT | O_EXCL) {
                let (result, status) = Kernel.status(file: $0)
                return (result, [UInt64(status.st_ino)])
            }
        case .unlink:
            (Kernel.with(name(step, step.argument)) { Kernel.call(SYS_unlinkat, Kernel.currentDirectory, $0, 0) }, [])
        case .rename: (rename(name(step, step.argument), name(step, step.value)), [])
        case .look:
            {
                let (result, status) = Kernel.status(name(step, step.argument))
                return (result, [UInt64(status.st_ino)])
            }()
        case .list: list("\(path(step))/a")

        case .replace: replace(step)
        case .readDocument: fresh("\(path(step))/current", O_RDONLY) { Blocks.read(step, $0) }
        }
    }

    private func rename(_ old: String, _ new: String) -> Int {
        Kernel.with(old, new) {
            Kernel.call(SYS_renameat2, Kernel.currentDirectory, $0, Kernel.currentDirectory, $1)
        }
    }

    private func makeDirectory(_ path: String) -> Int {
        Kernel.with(path) { Kernel.call(SYS_mkdirat, Kernel.currentDirectory, $0, 0o755) }
    }

    private func makeDirectories(_ step: Step) -> Found {
        for name in ["", "/a", "/b"] {
            let made = makeDirectory(path(step) + name)
            guard made >= 0 else { return (made, []) }
        }
        return (0, [])
    }

    private mutating func makeDocument(_ step: Step) -> Found {
        let made = makeDirectory(path(step))
        return made < 0 ? (made, []) : replace(step)
    }

    /// Writes a new file and gives it the name of the one before.
    private mutating func replace(_ step: Step) -> Found {
        replacements += 1
        let new = "\(path(step))/new-\(process)-\(replacements)"
        let written = fresh(new, O_WRONLY | O_CREAT | O_EXCL) { Blocks.write(step, $0) }
        guard written.result >= 0 else { return written }
        return (rename(new, "\(path(step))/current"), [])
    }

    /// Names and inodes, as number and inode by turns.
    private func list(_ directory: String) -> Found {
        let listing = Listing(directory, keepsAccessTime: false)
        let entries = listing.entries.filter { $0.name.first != UInt8(ascii: ".") }
        return (listing.result, entries.flatMap { [NameSet.number($0.name), UInt64($0.inode)] })
    }

    /// A file, or a directory and what is in it.
    private func remove(_ path: String) -> Int {
        let removeDirectory = 0x200
        let result = Kernel.with(path) { Kernel.call(SYS_unlinkat, Kernel.currentDirectory, $0, 0) }
        guard result == -Int(EISDIR) else { return result }
        for entry in Listing(path, keepsAccessTime: false).entries where entry.name != [46] && entry.name != [46, 46] {
            let removed = remove("\(path)/\(String(decoding: entry.name, as: UTF8.self))")
            guard removed >= 0 else { return removed }
        }
        return Kernel.with(path) { Kernel.call(SYS_unlinkat, Kernel.currentDirectory, $0, removeDirectory) }
    }
}
