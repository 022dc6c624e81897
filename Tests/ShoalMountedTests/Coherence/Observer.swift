import Glibc
import ShoalTestSupport

/// Changes things through one mount and looks at once through the other, in turns, also through descriptors that were
/// open before.
struct Observer {
    let mounts: [String]
    var random: SeededGenerator
    private(set) var observations = 0
    private(set) var stale: [String] = []
    private var descriptors: [CInt] = []
    private var number = 0
    private var content = [UInt8](repeating: 0, count: 100_000)

    init(mounts: [String], random: SeededGenerator) {
        self.mounts = mounts
        self.random = random
    }

    mutating func open() throws {
        try Files.write(content, to: "\(mounts[0])/shared")
        descriptors = try mounts.map { try check(Glibc.open("\($0)/shared", O_RDWR | O_CLOEXEC), "open") }
    }

    func close() { for descriptor in descriptors { Glibc.close(descriptor) } }

    private mutating func observe(_ what: String, _ isFresh: Bool) {
        observations += 1
        if !isFresh { stale.append("#\(number) \(what)") }
    }

    /// One of everything, in one direction.
    mutating func round() throws {
        number += 1
        let writer = number % 2
        try write(from: writer)
        try truncate(from: writer)
        try names(from: writer)
    }

    /// Data, through open descriptors and by path.
    private mutating func write(from writer: Int) throws {
        for _ in 0..<4 {
            let offset = Int(random.next() % 100_000)
            let bytes = (0..<1 + Int(random.next() % 9000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            try check(pwrite(descriptors[writer], bytes, bytes.count, offset), "pwrite")
            if offset > content.count { content.append(contentsOf: repeatElement(0, count: offset - content.count)) }
            let end = min(offset + bytes.count, content.count)
            content.replaceSubrange(min(offset, end)..<end, with: bytes)
            var seen = [UInt8](repeating: 0, count: bytes.count)
            let count = try check(pread(descriptors[1 - writer], &seen, seen.count, offset), "pread")
            observe("read of \(bytes.count) at \(offset)", count == bytes.count && seen == bytes)
            var status = stat()
            try check(fstat(descriptors[1 - writer], &status), "fstat")
            observe("size \(status.st_size), not \(content.count)", status.st_size == content.count)
        }
        // All of it, now and then: nothing else changed.
        if number % 50 == 0 {
            observe("whole content", try Files.bytes("\(mounts[1 - writer])/shared") == content)
        }
    }

    private mutating func truncate(from writer: Int) throws {
        let size = Int(random.next() % 100_000)
        try check(ftruncate(descriptors[writer], size), "ftruncate")
        content.removeLast(max(content.count - size, 0))
        content.append(contentsOf: repeatElement(0, count: size - content.count))
        var status = stat()
        try check(stat("\(mounts[1 - writer])/shared", &status), "stat")
        observe("truncated to \(size), seen \(status.st_size)", status.st_size == size)
        var seen = [UInt8](repeating: 0, count: 4096)
        let offset = max(size - 2000, 0)
        let count = try check(pread(descriptors[1 - writer], &seen, seen.count, offset), "pread")
        observe("the end after a truncation", Array(seen[..<count]) == Array(content[offset...]))
    }

    /// Names: absent, created, with attributes, renamed, removed.
    private mutating func names(from writer: Int) throws {
        let (here, there) = (mounts[writer], mounts[1 - writer])
        let (name, renamed) = ("name-\(number)", "renamed-\(number)")
        func seen(_ name: String) -> stat? {
            var status = stat()
            return lstat("\(there)/\(name)", &status) == 0 ? status : nil
        }
        observe("absent before", seen(name) == nil)
        let file = try check(Glibc.open("\(here)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640), "create")
        try check(Glibc.write(file, "content", 7), "write")
        Glibc.close(file)
        observe("created", seen(name)?.st_size == 7)
        try check(chmod("\(here)/\(name)", 0o604), "chmod")
        observe("chmod", seen(name)?.st_mode == S_IFREG | 0o604)
        try check(rename("\(here)/\(name)", "\(here)/\(renamed)"), "rename")
        observe("old name after rename", seen(name) == nil)
        observe("new name after rename", seen(renamed)?.st_size == 7)
        observe("content after rename", Files.text("\(there)/\(renamed)") == "content")
        try check(unlink("\(here)/\(renamed)"), "unlink")
        observe("unlinked", seen(renamed) == nil)
        try check(mkdir("\(here)/\(name)", 0o755), "mkdir")
        observe("a directory under the old name", seen(name)?.st_mode == S_IFDIR | 0o755)
        try check(rmdir("\(there)/\(name)"), "rmdir on the other mount")
        var status = stat()
        observe("removed by the other", lstat("\(here)/\(name)", &status) != 0 && errno == ENOENT)
    }
}
