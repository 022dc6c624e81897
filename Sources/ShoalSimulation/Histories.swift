import ShoalLinearizability
import ShoalTypes

/// What was observed of the objects of one run, and the judgement of it.
struct Histories {
    typealias Register = [ObservedOperation<RegisterModel.Operation>]

    /// A change of a file whose bytes a mount may still lose: where its parts stand.
    private struct Change {
        let mount: String
        let file: Int
        let begin: Int
        var end: Int?
        var cells: [(cell: Int, index: Int)] = []
        var size: Int?
        var log: Int?
        var isDurable = false
        /// What is not durable by then was lost with its mount's session, or with the mount.
        var isLost = false
    }

    /// Where an observation stands that may have been of bytes that are lost later.
    private struct Sight {
        let mount: String
        let file: Int
        let end: Int
        var cell: Int?
        var isSize = false
        let index: Int
    }

    let fileCount: Int
    let cellCount: Int
    let cellBytes: Int
    private var cells: [[Register]]
    private var sizes: [[ObservedOperation<SizeModel.Operation>]]
    private var log: [ObservedOperation<LogModel.Operation>] = []
    private var directory: [ObservedOperation<DirectoryModel.Operation>] = []
    /// Changes of names that have begun and whose outcome nobody has seen yet.
    private var openChanges: [Int: DirectoryModel.Operation] = [:]
    /// Creations among them, by when they began: which inode it would be is not known.
    private var openCreations: [Int: String] = [:]
    private var changes: [Change] = []
    private var sights: [Sight] = []
    /// When bytes of a file were last lost: a question that was put before may be answered with a size from before.
    private var lostAt: [Int: Int] = [:]
    /// Who has begun what, and what was done to the cluster: for who reads a complaint.
    var actors: [Int: String] = [:]
    var events: [(step: Int, text: String)] = []
    /// Cells that were found with bytes of several writes.
    private var torn: [(file: Int, cell: Int, begin: Int, end: Int)] = []
    /// The log, among the files.
    static let logFile = -1

    init(fileCount: Int, cellCount: Int, cellBytes: Int) {
        self.fileCount = fileCount
        self.cellCount = cellCount
        self.cellBytes = cellBytes
        cells = Array(repeating: Array(repeating: [], count: cellCount), count: fileCount)
        sizes = Array(repeating: [], count: fileCount)
    }

    // MARK: Changes

    mutating func beginWrite(_ value: UInt64, of file: Int, _ range: Range<Int>, by mount: String, at step: Int) -> Int
    {
        begin(.write(value), of: file, range, .extend(UInt64(range.upperBound * cellBytes)), by: mount, at: step)
    }

    /// Cuts the file, or makes it longer; what is past the new end is zero.
    mutating func beginTruncation(of file: Int, to cell: Int, by mount: String, at step: Int) -> Int {
        begin(.write(0), of: file, cell..<cellCount, .set(UInt64(cell * cellBytes)), by: mount, at: step)
    }

    private mutating func begin(
        _ write: RegisterModel.Operation, of file: Int, _ range: Range<Int>, _ size: SizeModel.Operation,
        by mount: String, at step: Int
    ) -> Int {
        var change = Change(mount: mount, file: file, begin: step, size: sizes[file].count)
        sizes[file].append(ObservedOperation(size, begin: step, end: nil))
        for cell in range {
            change.cells.append((cell, cells[file][cell].count))
            cells[file][cell].append(ObservedOperation(write, begin: step, end: nil))
        }
        changes.append(change)
        return changes.count - 1
    }

    mutating func beginAppend(_ record: UInt64, by mount: String, at step: Int) -> Int {
        changes.append(Change(mount: mount, file: Histories.logFile, begin: step, log: log.count))
        log.append(ObservedOperation(.append(record), begin: step, end: nil))
        return changes.count - 1
    }

    /// Only of one that has succeeded: what has failed may have been carried out, or be yet.
    mutating func end(_ change: Int, at step: Int) {
        if changes[change].isLost { return }
        changes[change].end = step
        setEnd(changes[change], step)
    }

    private mutating func setEnd(_ change: Change, _ step: Int?) {
        for (cell, index) in change.cells { cells[change.file][cell][index].end = step }
        if let index = change.size { sizes[change.file][index].end = step }
        if let index = change.log { log[index].end = step }
    }

    /// An fsync that began at `step` has succeeded.
    mutating func synced(_ file: Int, by mount: String, since step: Int) {
        for number in changes.indices where changes[number].mount == mount && changes[number].file == file {
            if let end = changes[number].end, end < step { changes[number].isDurable = true }
        }
    }

    /// The mount was killed, or its session has ended: what it had not synced may be lost, and what it alone has seen of that
    /// counts no more.
    ///
    /// - Parameter file: Of this file only: an fsync or a close has said so.
    mutating func lost(_ mount: String, of file: Int? = nil, at step: Int) {
        var first: [Int: Int] = [:]
        for number in changes.indices where changes[number].mount == mount && !changes[number].isDurable {
            guard file == nil || file == changes[number].file else { continue }
            // Also what was begun before an earlier loss: it may have been carried out since.
            let file = changes[number].file
            first[file] = min(first[file] ?? .max, changes[number].begin)
            guard !changes[number].isLost else { continue }
            changes[number].isLost = true
            setEnd(changes[number], nil)
        }
        for file in first.keys { lostAt[file] = step }
        // A size may have been told to others before the bytes were written back: that is all that goes with the mount.
        for sight in sights where sight.mount == mount || sight.isSize {
            guard let begin = first[sight.file], sight.end > begin else { continue }
            if let cell = sight.cell {
                cells[sight.file][cell][sight.index].isVoid = true
            } else if sight.isSize, sight.file != Histories.logFile {
                sizes[sight.file][sight.index].isVoid = true
            } else {
                log[sight.index].isVoid = true
            }
        }
        events.append((step, "\(mount) has lost what it had not synced"))
        sights.removeAll { $0.mount == mount && first[$0.file] != nil && !$0.isSize }
    }

    // MARK: Observations

    mutating func read(_ value: UInt64, in file: Int, _ cell: Int, _ begin: Int, _ end: Int, by mount: String) {
        sights.append(Sight(mount: mount, file: file, end: end, cell: cell, index: cells[file][cell].count))
        cells[file][cell].append(ObservedOperation(.read(value), begin: begin, end: end))
    }

    /// Bytes of several writes: that may be, where one was lost half-way.
    mutating func readTorn(in file: Int, _ cell: Int, _ begin: Int, _ end: Int) {
        torn.append((file, cell, begin, end))
    }

    mutating func read(size: UInt64, of file: Int, _ begin: Int, _ end: Int, by mount: String) {
        if begin < lostAt[file] ?? 0 { return }
        sights.append(Sight(mount: mount, file: file, end: end, isSize: true, index: sizes[file].count))
        sizes[file].append(ObservedOperation(.read(size), begin: begin, end: end))
    }

    mutating func observed(_ operation: LogModel.Operation, _ begin: Int, _ end: Int, by mount: String) {
        var sight = Sight(mount: mount, file: Histories.logFile, end: end, index: log.count)
        if case .count = operation {
            if begin < lostAt[Histories.logFile] ?? 0 { return }
            sight.isSize = true
        }
        sights.append(sight)
        log.append(ObservedOperation(operation, begin: begin, end: end))
    }

    mutating func observed(_ operation: DirectoryModel.Operation, _ begin: Int, _ end: Int) {
        directory.append(ObservedOperation(operation, begin: begin, end: end))
    }

    /// A change of names begins; it may be carried out at any time from now on, unless `endChange` says what came of it.
    mutating func beginChange(_ operation: DirectoryModel.Operation, _ begin: Int) { openChanges[begin] = operation }
    mutating func beginCreation(of name: String, _ begin: Int) { openCreations[begin] = name }

    mutating func endChange(_ begin: Int) {
        openChanges[begin] = nil
        openCreations[begin] = nil
    }

    /// An inode that was seen and that nobody is known to have made is that of a creation whose outcome was not learned.
    private var explainedDirectory: [ObservedOperation<DirectoryModel.Operation>] {
        var made: Set<InodeID> = []
        var seen: Set<InodeID> = []
        for entry in directory {
            switch entry.operation {
            case .create(_, let inode?): made.insert(inode)
            case .lookup(_, let inode?): seen.insert(inode)
            case .list(let names): seen.formUnion(names.values)
            default: break
            }
        }
        var result = directory
        for inode in seen.subtracting(made).sorted(by: { $0.rawValue < $1.rawValue }) {
            for (begin, name) in openCreations {
                result.append(ObservedOperation(.create(name, inode), begin: begin, end: nil))
            }
        }
        // One that nobody has seen may have been there all the same.
        for (begin, name) in openCreations {
            result.append(
                ObservedOperation(.create(name, InodeID(UInt64.max - UInt64(begin))), begin: begin, end: nil))
        }
        for (begin, operation) in openChanges {
            result.append(ObservedOperation(operation, begin: begin, end: nil))
        }
        return result
    }

    // MARK: Judgement

    /// What cannot be explained, and how many objects were given up.
    func judge() -> (complaints: [String], undecided: Int) {
        var complaints: [String] = []
        var undecided = 0
        func check<Model: SequentialModel>(
            _ what: String, _ history: [ObservedOperation<Model.Operation>], _ model: Model.Type, _ initial: Model.State
        ) {
            // Of many that follow from one fault a few say enough.
            guard complaints.count < 3 else { return }
            let history = history.filter { !$0.isVoid }
            switch linearizability(of: history, model, from: initial) {
            case .holds: break
            case .isUndecided: undecided += 1
            case .isViolated(let explained):
                var lines = history.map {
                    (
                        $0.begin,
                        "  \($0.begin)...\($0.end.map(String.init) ?? "?") \($0.operation) \(actors[$0.begin] ?? "")"
                    )
                }
                lines += events.map { ($0.step, "  \($0.step) \($0.text)") }
                lines.sort { $0.0 < $1.0 }
                complaints.append(
                    "\(what): no order explains what was seen (\(explained) of \(history.count) at best)\n"
                        + lines.map(\.1).joined(separator: "\n"))
            }
        }
        for (file, cell, begin, end) in torn {
            let isExplained = changes.contains { change in
                (change.end == nil || change.isLost) && change.file == file && change.begin < end
                    && change.cells.contains { $0.cell == cell }
            }
            if !isExplained { complaints.append("cell \(cell) of file \(file) is torn in \(begin)...\(end)") }
        }
        for file in 0..<fileCount {
            for cell in 0..<cellCount {
                check("file \(file), cell \(cell)", cells[file][cell], RegisterModel.self, 0)
            }
            check("the size of file \(file)", sizes[file], SizeModel.self, 0)
        }
        check("the log", log, LogModel.self, [])
        check("the directory", explainedDirectory, DirectoryModel.self, [:])
        return (complaints, undecided)
    }
}
