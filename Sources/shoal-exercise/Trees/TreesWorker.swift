import CLinux
import Glibc

/// Does the same random operations on a tree of the local disk and on one of the filesystem under test, and compares
/// answers and attributes after each, whole trees now and then.
struct TreesWorker {
    static let otherUser = 65_534
    private static let wholeEvery = 1500
    private static let historyMax = 40

    private var random: Random
    private var reference: Side
    private var subject: Side
    private var history: [String] = []

    /// - Parameters:
    ///   - reference: An empty directory of the local disk.
    ///   - subjects: The same empty directory as one or several mounts show it.
    init(seed: UInt64, reference: String, subjects: [String]) {
        random = Random(seed: seed)
        self.reference = Side(roots: [reference])
        subject = Side(roots: subjects)
    }

    /// - Throws: `Difference`.
    mutating func run(operations: Int) throws {
        for step in 0..<operations {
            try self.step(step)
            if step % TreesWorker.wholeEvery == TreesWorker.wholeEvery - 1 { try compareWhole(step) }
        }
        for slot in 0..<Side.slotCount where reference.isOpen(slot) {
            _ = (reference.close(slot), subject.close(slot))
        }
        try compareWhole(operations)
    }

    private mutating func step(_ step: Int) throws {
        let operation = TreeOperation.random(&random)
        let user = random.one(in: 6) ? TreesWorker.otherUser : 0
        let mount = random.below(8)
        // Looked at through another mount than it is done through.
        let observer = mount + 1
        if operation.slots.contains(where: { !reference.isOpen($0) }), !operation.opens { return }
        note("\(step) \(user == 0 ? "" : "as \(user) ")through \(mount % subject.roots.count): \(operation.summary)")

        let places = operation.places.reduce(into: [Place]()) { if !$0.contains($1) { $0.append($1) } }
        let before = places.map { sights($0, observer) }
        let slots = operation.opens ? [] : operation.slots
        let slotsBefore = slots.map { (Sight(file: reference.file($0)), Sight(file: subject.file($0))) }

        Kernel.act(as: user)
        let expected = operation.perform(on: &reference, through: 0)
        var answer = operation.perform(on: &subject, through: mount)
        if operation.locks, expected.result == 0 {
            // The kernel releases the locks of a closed file when it has time.
            for _ in 0..<2000 where answer.result == -Int(EAGAIN) {
                sched_yield()
                answer = operation.perform(on: &subject, through: mount)
            }
        }
        Kernel.act(as: 0)
        guard answer == expected else { throw difference("\(describe(expected)) there, \(describe(answer)) here") }

        for (place, before) in zip(places, before) {
            let after = sights(place, observer)
            if let what = Sight.difference(after.0, after.1, before: before, set: operation) {
                throw difference("\(place): \(what)")
            }
        }
        for (slot, before) in zip(slots, slotsBefore) where reference.isOpen(slot) {
            let after = (Sight(file: reference.file(slot)), Sight(file: subject.file(slot)))
            if let what = Sight.difference(after.0, after.1, before: before, set: nil) {
                throw difference("the file in slot \(slot): \(what)")
            }
        }
    }

    private func sights(_ place: Place, _ observer: Int) -> (Sight, Sight) {
        (Sight(reference.path(place, through: 0)), Sight(subject.path(place, through: observer)))
    }

    private func compareWhole(_ step: Int) throws {
        let mount = step / TreesWorker.wholeEvery
        if let what = TreeComparison.difference(reference.roots[0], subject.roots[mount % subject.roots.count]) {
            throw difference("in the whole tree: \(what)")
        }
    }

    private mutating func note(_ line: String) {
        history.append(line)
        if history.count > TreesWorker.historyMax { history.removeFirst() }
    }

    private func difference(_ what: String) -> Broken {
        Broken("\(what)\nthe last operations:\n  " + history.joined(separator: "\n  "))
    }

    private func describe(_ answer: Answer) -> String {
        let result = answer.result < 0 ? String(cString: strerror(CInt(-answer.result))) : "\(answer.result)"
        return answer.content.isEmpty
            ? result : "\(result) with \(answer.content.count) bytes \(answer.content.prefix(24))"
    }
}

extension TreeOperation {
    fileprivate var opens: Bool { if case .open = self { true } else { false } }
    fileprivate var locks: Bool {
        switch self {
        case .lock, .lockWhole: true
        default: false
        }
    }

    /// One line, without the bytes.
    fileprivate var summary: String {
        switch self {
        case .write(let slot, let offset, let bytes):
            "write \(bytes.count) bytes in slot \(slot) at \(offset.map(String.init) ?? "its position")"
        case .open(let place, let slot, let flags, let mode):
            "open \(place) in slot \(slot), flags 0\(String(flags, radix: 8)), mode 0\(String(mode, radix: 8))"
        case .setAttribute(let place, let name, let value, let flags):
            "set \(name) of \(place) to \(value.count) bytes, flags \(flags)"
        default:
            "\(self)".replacing(String(repeating: "n", count: 250), with: "nnn").replacing("shoal_exercise.", with: "")
        }
    }
}
