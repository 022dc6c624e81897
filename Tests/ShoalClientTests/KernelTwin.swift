import ShoalRPC
import ShoalSimulation
import ShoalTypes

@testable import ShoalClient

/// The kernel's pages of one file of one mount, as Linux has them for a shared mapping and for who reads the file: a page
/// that is there is loaded and stored without a word to the client; a page that is not is read; a drop waits for pages
/// being read, writes the dirty ones back, and only then lets go of them; a direct write drops what it covers first.
final class KernelTwin {
    static let bytes = 4096
    private let client: Client
    private let inode: InodeID
    private let scheduler: VirtualScheduler
    private var pages: [UInt64: [UInt8]] = [:]
    private var dirty: Set<UInt64> = []
    /// Pages that are being read or written back, and who waits for that to end.
    private var locked: [UInt64: [() -> Void]] = [:]
    private(set) var errors: [FileError] = []
    /// What read(2) goes by, and what is raised whenever answers under way become void.
    private var size: UInt64 = 0
    private var attributeVersion = 0

    init(_ client: Client, _ inode: InodeID, _ scheduler: VirtualScheduler) {
        self.client = client
        self.inode = inode
        self.scheduler = scheduler
        client.dropKernelPages = { [unowned self] id, ranges, done in
            guard id == self.inode else { return done() }
            // As a notification: it goes by another thread, both ways.
            later {
                self.attributeVersion += 1
                self.drop(ranges[...]) { self.later(done) }
            }
        }
        client.growKernelFile = { [unowned self] id, size, done in
            guard id == self.inode else { return done() }
            later { self.grow(to: size) { self.later(done) } }
        }
    }

    /// Runs `body` at an instant at which the page is there: the instruction that a fault has interrupted is tried
    /// again until it finds its page.
    func access(_ page: UInt64, _ body: @escaping (inout [UInt8]) -> Bool) {
        if locked[page] != nil {
            locked[page]!.append { self.access(page, body) }
            return
        }
        if pages[page] != nil {
            if body(&pages[page]!) { dirty.insert(page) }
            return
        }
        locked[page] = []
        client.readPages(inode, offset: page * UInt64(KernelTwin.bytes), length: KernelTwin.bytes) { [self] result in
            switch result {
            case .success(let pieces):
                let read = pieces.flatMap { Array($0) }
                pages[page] = read + zeros(KernelTwin.bytes - read.count)
            case .failure(let error): errors.append(error)
            }
            // The answer, and the waking of the program, take their time; a drop may come between.
            later { self.unlock(page) }
            later { self.later { self.access(page, body) } }
        }
    }

    /// read(2) of the last byte, by a program that may wait for a processor when it has been told the size.
    func readLast(delay: Interval, _ body: @escaping (_ size: UInt64, _ byte: UInt8) -> Void) {
        let version = attributeVersion
        client.attributesForOpenFile(inode, readsPages: true) { [self] result in
            guard case .success(let attributes) = result else { return errors.append(.inputOutput) }
            scheduler.schedule(after: delay) { [self] in
                if version == attributeVersion { size = attributes.size }
                let last = size - 1
                access(last / UInt64(KernelTwin.bytes)) { bytes in
                    body(last + 1, bytes[Int(last) % KernelTwin.bytes])
                    return false
                }
            }
        }
    }

    private func grow(to newSize: UInt64, _ done: @escaping () -> Void) {
        if newSize > size {
            size = newSize
            attributeVersion += 1
        }
        let page = (newSize - 1) / UInt64(KernelTwin.bytes)
        if locked[page] != nil { locked[page]!.append(done) } else { done() }
    }

    /// As the kernel does when the pages have been dirty for long.
    func writeBack() {
        for page in dirty.sorted() where locked[page] == nil { clean(page) { self.unlock(page) } }
    }

    /// write(2) of a file that is open for direct I/O.
    func write(_ bytes: [UInt8], at offset: UInt64, completion: @escaping (Result<Int, FileError>) -> Void) {
        let page = UInt64(KernelTwin.bytes)
        drop(offset / page..<(offset + UInt64(bytes.count) + page - 1) / page) { [self] in
            later { [self] in
                bytes.withUnsafeBytes { client.write(inode, .at(offset), $0, completion: completion) }
            }
        }
    }

    /// fallocate(2) with FALLOC_FL_ZERO_RANGE, of one byte: the kernel writes the page back first, and puts the zero into its
    /// own when the call is answered.
    func zero(at offset: UInt64, completion: @escaping (Result<Void, FileError>) -> Void) {
        let page = offset / UInt64(KernelTwin.bytes)
        if locked[page] != nil {
            locked[page]!.append { self.zero(at: offset, completion: completion) }
            return
        }
        clean(page) { [self] in
            unlock(page)
            client.allocate(inode, .zero, offset: offset, length: 1, keepsSize: true) { [self] result in
                if case .success = result { pages[page]?[Int(offset) % KernelTwin.bytes] = 0 }
                completion(result)
            }
        }
    }

    private func clean(_ page: UInt64, then: @escaping () -> Void) {
        locked[page] = locked[page] ?? []
        guard dirty.remove(page) != nil else { return then() }
        pages[page]!.withUnsafeBytes {
            client.writePages(inode, offset: page * UInt64(KernelTwin.bytes), $0) { [self] result in
                if case .failure(let error) = result { errors.append(error) }
                later(then)
            }
        }
    }

    /// One pass, in the order of the pages; a page that comes behind it stays.
    private func drop(_ range: Range<UInt64>, _ done: @escaping () -> Void) {
        guard let page = Set(pages.keys).union(locked.keys).filter({ range.contains($0) }).min() else { return done() }
        if locked[page] != nil {
            locked[page]!.append { self.drop(page..<range.upperBound, done) }
            return
        }
        clean(page) { [self] in
            pages[page] = nil
            unlock(page)
            drop(page + 1..<range.upperBound, done)
        }
    }

    private func drop(_ ranges: ArraySlice<Range<UInt64>>, _ done: @escaping () -> Void) {
        guard let range = ranges.first else { return done() }
        let page = UInt64(KernelTwin.bytes)
        drop(range.lowerBound / page..<range.upperBound / page) { self.drop(ranges.dropFirst(), done) }
    }

    private func unlock(_ page: UInt64) {
        for waiter in locked.removeValue(forKey: page) ?? [] { waiter() }
    }

    private func later(_ body: @escaping () -> Void) {
        scheduler.schedule(after: .microseconds(30), body)
    }
}
