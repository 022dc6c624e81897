import ShoalRPC
import ShoalSimulation
import ShoalTypes
import ShoalWire

@testable import ShoalClient

/// One mount's kernel, as far as names go: entries with an end, a lock for each directory, which fresh lookups, changes
/// and notifications take and which a rename takes twice, and names that take their end along when they are renamed. An
/// entry that has ended is asked for again without the lock, as Linux does (fs/fuse/dir.c).
final class NameTwin {
    final class Entry {
        var inode: InodeID?
        var end: MonotonicInstant
        init(_ inode: InodeID?, end: MonotonicInstant) {
            self.inode = inode
            self.end = end
        }
    }
    let client: Client
    private let scheduler: VirtualScheduler
    private var entries: [Place: Entry] = [:]
    private var locked: [InodeID: [() -> Void]] = [:]
    /// Changes of this mount that have begun and not ended.
    private(set) var changing: [Place: Int] = [:]
    private(set) var hits = 0
    /// Called at each hit, at that moment.
    var onHit: (Place, InodeID?) -> Void = { _, _ in }

    init(_ client: Client, _ scheduler: VirtualScheduler) {
        self.client = client
        self.scheduler = scheduler
        client.dropKernelNames = { [unowned self] directory, names, done in
            later {
                self.lock([directory]) {
                    for name in names { self.entries[Place(directory: directory, name: name)] = nil }
                    self.unlock([directory])
                    self.later(done)
                }
            }
        }
    }

    func look(_ place: Place, _ completion: @escaping () -> Void) {
        guard let entry = entries[place] else { return lookAfresh(place, completion) }
        if entry.end > scheduler.now {
            hits += 1
            onHit(place, entry.inode)
            return completion()
        }
        guard let inode = entry.inode else { return lookAfresh(place, completion) }
        ask(place) { [self] answer, validity in
            guard answer == inode else {
                if entries[place] === entry { entries[place] = nil }
                return lookAfresh(place, completion)
            }
            entry.end = scheduler.now + validity
            completion()
        }
    }

    private func lookAfresh(_ place: Place, _ completion: @escaping () -> Void) {
        lock([place.directory]) { [self] in
            ask(place) { [self] answer, validity in
                entries[place] = Entry(answer, end: scheduler.now + validity)
                unlock([place.directory])
                completion()
            }
        }
    }

    private func ask(_ place: Place, _ body: @escaping (InodeID?, Interval) -> Void) {
        client.lookup(place.directory, place.name) { [self] result in
            var inode: InodeID?
            var validity = Interval(nanoseconds: 0)
            if case .success(let found) = result {
                inode = found?.inode
                validity = client.kernelLearns(place.name, in: place.directory, as: inode)
            }
            later { body(inode, validity) }
        }
    }

    func create(_ place: Place, _ completion: @escaping () -> Void) {
        change([place]) { [self] end in
            let file = Client.NewFile(mode: FileKind.regular.rawValue | 0o644, uid: 0, gid: 0)
            client.create(place.directory, place.name, file) { [self] result in
                let made = try? result.get().inode
                end { self.entries[place] = made.map { Entry($0, end: MonotonicInstant(0)) } }
            }
        } completion: {
            completion()
        }
    }

    func unlink(_ place: Place, _ completion: @escaping () -> Void) {
        change([place]) { [self] end in
            client.unlink(place.directory, place.name) { result in
                end { if result.error == nil || result.error == .notFound { self.entries[place] = nil } }
            }
        } completion: {
            completion()
        }
    }

    func rename(_ old: Place, _ new: Place, exchanges: Bool, _ completion: @escaping () -> Void) {
        change([old, new]) { [self] end in
            client.rename(old.directory, old.name, to: new.directory, new.name, exchanges ? .exchange : .replace) {
                result in
                end { [self] in
                    guard result.error == nil else { return }
                    let (moved, other) = (entries[old], entries[new])
                    entries[new] = moved
                    entries[old] = exchanges ? other : nil
                }
            }
        } completion: {
            completion()
        }
    }

    /// What the kernel does to `places`, under the locks of their directories.
    private func change(
        _ places: [Place], _ body: @escaping (_ end: @escaping (@escaping () -> Void) -> Void) -> Void,
        completion: @escaping () -> Void
    ) {
        let directories = Set(places.map(\.directory)).sorted()
        lock(directories) { [self] in
            for place in places { changing[place, default: 0] += 1 }
            body { take in
                self.later { [self] in
                    take()
                    for place in places { changing[place]! -= 1 }
                    unlock(directories)
                    completion()
                }
            }
        }
    }

    private func lock(_ directories: [InodeID], _ body: @escaping () -> Void) {
        guard let first = directories.first else { return body() }
        let rest = Array(directories.dropFirst())
        if locked[first] != nil {
            locked[first]!.append { self.lock(rest, body) }
        } else {
            locked[first] = []
            lock(rest, body)
        }
    }

    private func unlock(_ directories: [InodeID]) {
        for directory in directories {
            var waiting = locked[directory] ?? []
            guard !waiting.isEmpty else {
                locked[directory] = nil
                continue
            }
            let next = waiting.removeFirst()
            locked[directory] = waiting
            next()
        }
    }

    private func later(_ body: @escaping () -> Void) { scheduler.schedule(after: .microseconds(40), body) }
}

extension Result where Failure == FileError {
    fileprivate var error: FileError? {
        if case .failure(let error) = self { error } else { nil }
    }
}
