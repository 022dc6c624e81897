import CLinux
import Glibc

/// One of the processes that do random operations on a tree of the local disk and on one of the filesystem under test,
/// and compare after each: what it answered, and everything that it named, seen through another mount; the whole tree
/// now and then.
struct TreesWorker {
    static let otherUser = 65_534

    private var random: Random
    private var turns: Turns
    private let processes: Int
    private let wholeEvery: Int
    private let historyMax: Int
    private let observer: Observer
    private var reference: Side
    private var subject: Side
    private var history: [String] = []

    /// - Parameters:
    ///   - reference: An empty directory of the local disk.
    ///   - subjects: The same empty directory as one or several mounts show it.
    init(
        seed: UInt64, turns: Turns, processes: Int, wholeEvery: Int, historyMax: Int, reference: String,
        subjects: [String]
    ) throws {
        random = Random(seed: seed)
        self.turns = turns
        self.processes = processes
        self.wholeEvery = wholeEvery
        self.historyMax = historyMax
        observer = try Observer()
        self.reference = try Side(roots: [reference])
        subject = try Side(roots: subjects)
    }

    /// Until all processes together have done so many.
    /// - Throws: `Broken`.
    mutating func run(operations: Int) throws {
        // The first process begins.
        var (turn, done) = (0, 0)
        for number in 0... {
            let step = Step(number: number, processes: processes, &random)
            let isMine = step.process == turns.process
            if turn != step.process {
                if turn == turns.process { try turns.pass(to: step.process, done: done) }
                if isMine { done = try turns.take() }
                turn = step.process
            }
            note(step)
            guard isMine else { continue }
            // All have heard of the end by somebody's having come to it.
            guard done < operations else { break }
            if try perform(step) {
                done += 1
                if done % wholeEvery == 0 { try compareWhole(through: number) }
            }
        }
        for other in 0..<processes where other != turns.process { try turns.pass(to: other, done: operations) }
        reference.closeAll()
        subject.closeAll()
        try compareWhole(through: 0)
    }

    /// What is drawn for one operation: the same in every process.
    private struct Step {
        let number: Int
        let process: Int
        let operation: TreeOperation
        let user: Int
        let umask: mode_t
        let mount: Int
        /// Looked at through another mount than it is done through.
        var observed: Int { mount + 1 }

        init(number: Int, processes: Int, _ random: inout Random) {
            self.number = number
            operation = .random(&random)
            process = number == 0 ? 0 : random.below(processes)
            user = random.one(in: 6) ? TreesWorker.otherUser : 0
            umask = random.pick([0, 0, 0o22, 0o77])
            // A process opens files on one mount: on two it would be two to the kernel, whose locks know nothing of each other.
            mount = operation.opens ? process : random.below(8)
        }
    }

    /// - Returns: false if there was nothing to do it with.
    private mutating func perform(_ step: Step) throws -> Bool {
        let operation = step.operation
        let slots = operation.slots.compactMap(reference.occupied)
        guard slots.count == operation.slots.count, !differsOnPurpose(operation, slots) else { return false }
        let places = operation.places.reduce(into: [Place]()) { if !$0.contains($1) { $0.append($1) } }
        let before = places.map { sights($0, step.observed) }
        var open = reference.allOccupied
        if case .open(_, let slot, _, _) = operation { open.removeAll { $0 == slot } }
        let openBefore = open.map { sights(slot: $0) }
        // Other mounts learn of accesses later (docs/posix.md).
        let clock = subject.roots.count == 1 ? timespec.coarse : nil

        Glibc.umask(step.umask)
        Kernel.act(as: step.user)
        let expected = operation.perform(on: &reference, through: 0)
        var answer = operation.perform(on: &subject, through: step.mount)
        if operation.locks, answer != expected {
            // The kernel releases the locks of a closed file when it has time.
            for _ in 0..<2000 where answer != expected {
                sched_yield()
                answer = operation.perform(on: &subject, through: step.mount)
            }
        }
        for _ in 0..<Sight.patience where isMovedElsewhere(answer, expected) {
            for place in places { _ = Sight(subject.path(place, through: step.mount), isShared: true) }
            answer = operation.perform(on: &subject, through: step.mount)
        }
        if isOtherLockInTheWay(operation, answer, expected) { answer = expected }
        Kernel.act(as: 0)
        Glibc.umask(0)
        if case .seek(let slot, let offset, let whence) = operation {
            try judge(answer, expected, slot, offset, isData: whence == 3)
        } else if answer != expected {
            throw difference("\(expected) there, \(answer) here")
        }

        // What the observer is to compare; it is woken once.
        var comparisons: [(of: String, difference: () -> String?)] = []
        for (place, before) in zip(places, before) {
            let after = sights(place, step.observed)
            if let what = after.difference(since: before, clock: clock, set: operation) {
                throw difference("\(place): \(what)")
            }
            guard after.reference.error == 0 else { continue }
            comparisons.append(("\(place)", details(of: place, after, operation, step.observed)))
        }
        for (slot, before) in zip(open, openBefore) where reference[slot] != nil {
            let after = sights(slot: slot)
            if isForgotten(after) { continue }
            if let what = after.difference(since: before, clock: clock, set: nil) {
                throw difference("the file in slot \(slot): \(what)")
            }
            guard slots.contains(slot), operation.changesContent, after.reference.isRegular else { continue }
            comparisons.append(("the file in slot \(slot)", content(ofSlot: slot, after, step.observed)))
        }
        guard !comparisons.isEmpty else { return true }
        let found = observer.look { () -> String? in
            for comparison in comparisons {
                if let what = comparison.difference() { return "\(comparison.of): \(what)" }
            }
            return nil
        }
        if let found { throw difference(found) }
        return true
    }

    // MARK: Known differences

    /// What docs/posix.md says is different, and nothing else. Places in a directory are its filesystem's own. Between
    /// several mounts: FIFOs, and locks of what is no regular file, hold within each mount; and what is no regular file
    /// is gone when it is removed, for whoever has it open too.
    private func differsOnPurpose(_ operation: TreeOperation, _ slots: [Int]) -> Bool {
        let files = slots.map { Sight(file: reference.file($0)) }
        if case .seek = operation { return files.contains(where: \.isDirectory) }
        guard isShared else { return false }
        if files.contains(where: { $0.isRemoved && !$0.isRegular }) { return true }
        if case .open(let place, _, _, _) = operation {
            var status = stat()
            guard stat(reference.path(place, through: 0), &status) == 0 else { return false }
            return Int(status.st_mode) & Kernel.typeMask == Kernel.fifo
        }
        return operation.locks && files.contains { !$0.isRegular }
    }

    /// F_GETLK tells of one of the locks in the way (fcntl(2)), not of a certain one: that which is told here must be
    /// there, too.
    private mutating func isOtherLockInTheWay(_ operation: TreeOperation, _ answer: Answer, _ expected: Answer) -> Bool
    {
        guard case .testLock(let slot, let ofProcess, _, _, _) = operation, answer != expected,
            !expected.content.isEmpty
        else { return false }
        let told = String(decoding: answer.content, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
        guard told.count == 3 else { return false }
        let exclusive = 1
        let probe = TreeOperation.testLock(
            slot: slot, ofProcess: ofProcess, kind: exclusive, start: told[1], count: told[2])
        return probe.perform(on: &reference, through: 0) == answer
    }

    private var isShared: Bool { subject.roots.count > 1 }

    /// A directory that another mount has moved cannot be renamed, or be on the way, before this kernel has looked it up in
    /// its new place.
    private func isMovedElsewhere(_ answer: Answer, _ expected: Answer) -> Bool {
        isShared && answer.result == -Int(ESTALE) && answer != expected
    }

    /// What is no regular file, and another mount has removed, is ESTALE for those who have it open.
    private func isForgotten(_ sights: Sight.Pair) -> Bool {
        isShared && sights.reference.isRemoved && !sights.reference.isRegular
            && sights.subject.error == -Int(ESTALE)
    }

    // MARK: Comparisons

    private func sights(_ place: Place, _ mount: Int) -> Sight.Pair {
        Sight.Pair(
            reference: Sight(reference.path(place, through: 0)),
            subject: Sight(subject.path(place, through: mount), isShared: isShared))
    }

    private func sights(slot: Int) -> Sight.Pair {
        Sight.Pair(reference: Sight(file: reference.file(slot)), subject: Sight(file: subject.file(slot)))
    }

    /// Compares everything else of a file that is there, on the observer's thread.
    private func details(
        of place: Place, _ sights: Sight.Pair, _ operation: TreeOperation, _ mount: Int
    ) -> () -> String? {
        let paths = (reference.path(place, through: 0), subject.path(place, through: mount))
        return { [isShared] in
            // The path is walked once.
            let files = [paths.0, paths.1].map { Kernel.open($0, linux_o_path | O_NOFOLLOW) }
            defer { for file in files where file >= 0 { _ = Kernel.close(file) } }
            guard files[0] >= 0, files[1] >= 0 else { return "cannot be opened: \(files)" }
            let held = ("/proc/thread-self/fd/\(files[0])", "/proc/thread-self/fd/\(files[1])")
            if let what = TreeComparison.differenceOfExtendedAttributes(held.0, held.1, follows: true) { return what }
            if sights.reference.isDirectory, operation.changesNames {
                return TreeComparison.differenceOfDirectories(held.0, held.1, isDeep: false, isShared: isShared)
            }
            guard sights.reference.isRegular, operation.changesContent else { return nil }
            return TreeComparison.differenceOfContents(held.0, held.1)
        }
    }

    /// Compares an open regular file, which may have no name any more; and through the other mount, if it has its name
    /// still. On the observer's thread.
    private func content(ofSlot slot: Int, _ sights: Sight.Pair, _ mount: Int) -> () -> String? {
        guard let file = reference[slot] else { return { nil } }
        let open = ("/proc/self/fd/\(file.descriptor)", "/proc/self/fd/\(subject.file(slot))")
        let named = (reference.path(file.place, through: 0), subject.path(file.place, through: mount))
        // On both sides: a symlink on the way is accessed by that.
        let isNamed = Sight(named.0).inode == sights.reference.inode
        _ = Sight(named.1, isShared: isShared)
        return {
            TreeComparison.differenceOfContents(open.0, open.1)
                ?? (isNamed ? TreeComparison.differenceOfContents(named.0, named.1) : nil)
        }
    }

    /// SEEK_DATA and SEEK_HOLE: what is a hole is the filesystem's own choice, but there must be only zeros in it.
    private func judge(_ answer: Answer, _ expected: Answer, _ slot: Int, _ offset: Int, isData: Bool) throws {
        let (file, sight) = (reference.file(slot), Sight(file: reference.file(slot)))
        let size = sight.size
        if !sight.isRegular, answer == expected { return }
        let noMoreData = isData && offset < size && [answer.result, expected.result].contains(-Int(ENXIO))
        guard answer.result >= 0 && expected.result >= 0 || noMoreData else {
            if answer != expected { throw difference("\(expected) there, \(answer) here") }
            return
        }
        var hole = offset..<(answer.result < 0 ? size : answer.result)
        if !isData {
            let seekData = 3
            let data = Kernel.call(SYS_lseek, subject.file(slot), answer.result, seekData)
            _ = Kernel.call(SYS_lseek, subject.file(slot), offset, Int(SEEK_SET))
            guard answer.result >= offset, answer.result <= size else {
                throw difference("a hole at \(answer.result) of \(size)")
            }
            hole = answer.result..<(data < 0 ? size : data)
        }
        guard hole.upperBound <= size else { throw difference("data at \(hole.upperBound) of \(size)") }
        // The reference may have terabytes of hole there too.
        let seekData = 3
        let position = Kernel.call(SYS_lseek, file, 0, Int(SEEK_CUR))
        defer { _ = Kernel.call(SYS_lseek, file, position, Int(SEEK_SET)) }
        var place = hole.lowerBound
        while place < hole.upperBound {
            place = Kernel.call(SYS_lseek, file, place, seekData)
            guard place >= 0, place < hole.upperBound else { return }
            let path = "/proc/self/fd/\(file)"
            let bytes = observer.look {
                let file = Kernel.open(path, O_RDONLY | linux_o_noatime)
                defer { _ = Kernel.close(file) }
                return Kernel.read(file, min(1 << 20, hole.upperBound - place), at: place).bytes
            }
            guard bytes.allSatisfy({ $0 == 0 }) else {
                let paths = (path, "/proc/self/fd/\(subject.file(slot))")
                let content = observer.look { TreeComparison.differenceOfContents(paths.0, paths.1) }
                throw difference("data in the hole \(hole); \(content ?? "the contents are the same")")
            }
            place += max(bytes.count, 1)
        }
    }

    private func compareWhole(through mount: Int) throws {
        let paths = (reference.roots[0], subject.roots[mount % subject.roots.count])
        if let what = observer.look({ TreeComparison.difference(paths.0, paths.1, isShared: isShared) }) {
            throw difference("in the whole tree: \(what)")
        }
    }

    private mutating func note(_ step: Step) {
        let user = step.user == 0 ? "" : " as \(step.user)"
        history.append(
            "\(step.number) process \(step.process)\(user) umask 0\(String(step.umask, radix: 8)) through "
                + "\(step.mount % subject.roots.count): \(step.operation.summary)")
        if history.count > historyMax { history.removeFirst() }
    }

    private func difference(_ what: String) -> Broken {
        let short = { (text: String) in text.replacing(String(repeating: "n", count: 249), with: "nnn") }
        let open = reference.allOccupied.map { slot in
            "slot \(slot) has \(reference[slot]?.place ?? .root): \(Sight(file: reference.file(slot)))"
        }
        let sections =
            [what, "open here:"] + open.map { "  " + $0 } + ["the last operations:"] + history.map { "  " + $0 }
        return Broken(short(sections.joined(separator: "\n")))
    }
}
