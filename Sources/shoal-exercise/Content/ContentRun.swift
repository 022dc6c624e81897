import CLinux
import Glibc

/// Random operations on the bytes of two files, checked against models of them after each (after fsx of Apple and the
/// Linux Test Project). With several mounts each operation goes through one of them.
struct ContentRun {
    /// What a filesystem may lack; then the operation is left out.
    enum Feature: String, CaseIterable {
        case punchHole, zeroRange, allocate, sharedMapping, oddDirectIO
    }

    private var random: Random
    private let paths: [[String]]
    /// By file, then by mount.
    private var files: [[Int]] = []
    /// Open to read only, since before the files were opened to write: a kernel that keeps pages keeps them for these.
    private var readers: [[Int]] = []
    private var models = [ContentModel(), ContentModel()]
    private var history: [String] = []
    private(set) var missing: Set<Feature> = []

    /// - Parameter directories: One, as one or several mounts show it.
    init(seed: UInt64, directories: [String]) throws {
        random = Random(seed: seed)
        paths = ["content-1", "content-2"].map { name in directories.map { "\($0)/\(name)" } }
        for paths in paths {
            let file = try ContentRun.open(paths[0], O_CREAT)
            try ContentRun.check(Kernel.call(SYS_fsync, file), "fsync")
            try ContentRun.check(Kernel.close(file), "close")
        }
        // What has changed just now may not be kept yet, nor what has not been read since (relatime); nothing tells when it is.
        for path in paths.joined() {
            let file = try ContentRun.check(Kernel.open(path, O_RDONLY), path)
            try ContentRun.check(Kernel.read(file, 1, at: 0).result, "read")
            try ContentRun.check(Kernel.close(file), "close")
        }
        usleep(1_500_000)
        for paths in paths {
            readers.append(try paths.map { try ContentRun.check(Kernel.open($0, O_RDONLY), $0) })
        }
        for paths in paths { files.append(try paths.map { try ContentRun.open($0, 0) }) }
        let direct = try ContentRun.open(paths[0][0], linux_o_direct)
        if Kernel.write(direct, [1], at: 1) == -Int(EINVAL) { missing.insert(.oddDirectIO) }
        try ContentRun.check(Kernel.close(direct), "close")
        try ContentRun.check(Kernel.call(SYS_ftruncate, files[0][0], 0), "ftruncate")
        for file in files { try ContentRun.check(Kernel.call(SYS_ftruncate, file[0], ContentModel.base), "ftruncate") }
    }

    private static func open(_ path: String, _ flags: CInt) throws -> Int {
        let file = Kernel.open(path, O_RDWR | flags, mode: 0o644)
        try check(file, path)
        return file
    }

    @discardableResult
    private static func check(_ result: Int, _ what: String) throws -> Int {
        guard result >= 0 else { throw Broken(what, result) }
        return result
    }

    /// - Throws: `Broken`.
    mutating func run(operations: Int) throws {
        do {
            for step in 0..<operations { try self.step(step) }
            for which in models.indices {
                for mount in files[which].indices {
                    try compare(which, files[which][mount], 0..<ContentModel.lengthMax)
                    try compare(which, readers[which][mount], 0..<ContentModel.lengthMax)
                }
            }
        } catch let broken as Broken {
            throw Broken("\(broken)\nthe last operations:\n  " + history.joined(separator: "\n  "))
        }
        for file in (files + readers).joined() { _ = Kernel.close(file) }
    }

    private mutating func step(_ step: Int) throws {
        let (which, mount) = (random.below(2), random.below(files[0].count))
        let offset = random.extent(max: ContentModel.lengthMax)
        let count = max(1, min(random.extent(max: 1 << 18), ContentModel.lengthMax - offset))
        let operation = random.below(32)
        note(
            "\(step): \(operation) file \(which) mount \(mount) offset \(offset) count \(count) size \(models[which].bytes.count)"
        )
        let file = files[which][mount]
        let at = ContentModel.base + offset
        switch operation {
        case 0...9:
            let file = random.pick([file, readers[which][mount]])
            try compare(which, file, offset..<(offset + count))
        case 10...17:
            let bytes = random.bytes(count)
            try expect(Kernel.write(file, bytes, at: at), count, "write")
            models[which].write(bytes, at: offset)
        case 18...19:
            try expect(Kernel.call(SYS_ftruncate, file, at), 0, "ftruncate")
            models[which].truncate(to: offset)
        case 20: try append(which, mount, count)
        case 21: try allocate(.punchHole, 1 | 2, which, mount, offset, count) { $0.zero(offset..<(offset + count)) }
        case 22:
            try allocate(.zeroRange, 16, which, mount, offset, count) {
                $0.extend(to: offset + count)
                $0.zero(offset..<(offset + count))
            }
        case 23: try allocate(.allocate, 0, which, mount, offset, count) { $0.extend(to: offset + count) }
        case 24...25: try copy(which, mount, offset, count)
        case 26...27: try readMapped(which, mount, offset, count)
        case 28: try writeMapped(which, mount, offset, count)
        case 29: try expect(Kernel.call(SYS_fsync, file), 0, "fsync")
        case 30:
            try expect(Kernel.close(file), 0, "close")
            let flags = random.pick([0, 0, O_DSYNC, missing.contains(.oddDirectIO) ? 0 : linux_o_direct])
            files[which][mount] = try ContentRun.open(paths[which][mount], flags)
        default:
            try learnSize(which, mount)
        }
    }

    private func expect(_ came: Int, _ wanted: Int, _ what: String) throws {
        if came < 0, wanted >= 0 { throw Broken(what, came) }
        guard came == wanted else { throw Broken("\(what) gives \(came), not \(wanted)") }
    }

    /// What a read gives against the model.
    private func compare(_ which: Int, _ file: Int, _ range: Range<Int>) throws {
        let (result, bytes) = Kernel.read(file, range.count, at: ContentModel.base + range.lowerBound)
        let wanted = models[which].read(range)
        try expect(result, wanted.count, "read")
        try same(bytes[...], wanted, range.lowerBound)
    }

    private func same(_ came: ArraySlice<UInt8>, _ wanted: ArraySlice<UInt8>, _ offset: Int) throws {
        guard came != wanted else { return }
        let first = zip(came, wanted).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
        let bad = zip(came, wanted).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        let zeros = came.dropFirst(first).prefix { $0 == 0 }.count
        throw Broken("\(bad) bytes differ, the first at \(offset + first) (\(zeros) zeros follow there)")
    }

    private mutating func append(_ which: Int, _ mount: Int, _ count: Int) throws {
        let start = models[which].bytes.count
        let count = min(count, ContentModel.lengthMax - start)
        guard count > 0 else { return }
        let file = try ContentRun.check(Kernel.open(paths[which][mount], O_WRONLY | O_APPEND), "open")
        let bytes = random.bytes(count)
        try expect(Kernel.write(file, bytes, at: nil), count, "append")
        try expect(Kernel.close(file), 0, "close")
        models[which].write(bytes, at: start)
    }

    private mutating func allocate(
        _ feature: Feature, _ mode: Int, _ which: Int, _ mount: Int, _ offset: Int, _ count: Int,
        _ change: (inout ContentModel) -> Void
    ) throws {
        let result = Kernel.call(SYS_fallocate, files[which][mount], mode, ContentModel.base + offset, count)
        if result == -Int(EOPNOTSUPP) {
            missing.insert(feature)
            return
        }
        try expect(result, 0, "fallocate \(feature)")
        change(&models[which])
    }

    /// Within a file or from one to the other.
    private mutating func copy(_ which: Int, _ mount: Int, _ offset: Int, _ count: Int) throws {
        let other = random.below(2)
        let target = random.extent(max: ContentModel.lengthMax)
        let length = min(count, ContentModel.lengthMax - target, models[which].bytes.count - offset)
        guard length > 0, other != which || abs(offset - target) >= length else { return }
        try learnSize(which, mount)
        var (source, destination) = (Int64(ContentModel.base + offset), Int64(ContentModel.base + target))
        var copied = 0
        while copied < length {
            let result = withUnsafeMutablePointer(to: &source) { source in
                withUnsafeMutablePointer(to: &destination) {
                    Kernel.call(
                        SYS_copy_file_range, files[which][mount], Int(bitPattern: source), files[other][mount],
                        Int(bitPattern: $0), length - copied, 0)
                }
            }
            guard result > 0 else { throw Broken("copy_file_range after \(copied) of \(length)", result) }
            copied += result
        }
        models[other].write(Array(models[which].read(offset..<(offset + length))), at: target)
    }

    /// As programs do, which must know how long the file is. The kernel goes by this when it copies and maps, and is not
    /// told when another mount makes a file longer (docs/posix.md).
    private func learnSize(_ which: Int, _ mount: Int) throws {
        let (result, status) = Kernel.status(file: files[which][mount])
        try expect(result, 0, "fstat")
        try expect(Int(status.st_size), models[which].size, "the size")
    }

    /// A shared mapping of the pages around `range`, for the length of `body`. Other mounts see what was stored there
    /// once it is synchronized.
    private mutating func mapped(
        _ which: Int, _ mount: Int, _ range: Range<Int>, _ body: (UnsafeMutableRawPointer) -> Void
    ) throws {
        let start = (ContentModel.base + range.lowerBound) / 4096 * 4096
        let length = ContentModel.base + range.upperBound - start
        try learnSize(which, mount)
        let memory = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, CInt(files[which][mount]), start)
        guard let memory, memory != MAP_FAILED else {
            guard errno == ENODEV else { throw Broken("mmap", -Int(errno)) }
            missing.insert(.sharedMapping)
            return
        }
        body(memory + (ContentModel.base + range.lowerBound - start))
        if files[which].count > 1, msync(memory, length, CInt(MS_SYNC)) != 0 { throw Broken("msync", -Int(errno)) }
        guard munmap(memory, length) == 0 else { throw Broken("munmap", -Int(errno)) }
    }

    private mutating func readMapped(_ which: Int, _ mount: Int, _ offset: Int, _ count: Int) throws {
        let range = (offset..<(offset + count)).clamped(to: 0..<models[which].bytes.count)
        guard !range.isEmpty else { return }
        var bytes: [UInt8] = []
        try mapped(which, mount, range) { bytes = Array(UnsafeRawBufferPointer(start: $0, count: range.count)) }
        if !bytes.isEmpty { try same(bytes[...], models[which].read(range), range.lowerBound) }
    }

    private mutating func writeMapped(_ which: Int, _ mount: Int, _ offset: Int, _ count: Int) throws {
        let range = (offset..<(offset + count)).clamped(to: 0..<models[which].bytes.count)
        guard !range.isEmpty else { return }
        let bytes = random.bytes(range.count)
        var isWritten = false
        try mapped(which, mount, range) { memory in
            bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: range.count) }
            isWritten = true
        }
        if isWritten { models[which].write(bytes, at: range.lowerBound) }
    }

    private mutating func note(_ line: String) {
        history.append(line)
        if history.count > 40 { history.removeFirst() }
    }
}
