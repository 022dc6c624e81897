import CLinux
import Glibc

/// One entry of a directory as getdents64(2) gives it.
struct Entry: Equatable {
    var inode: UInt64
    /// Where to go on: what telldir(3) answers.
    var next: Int
    /// DT_REG and so on.
    var type: UInt8
    var name: Bytes
}

extension File {
    /// One getdents64(2).
    func someEntries(bytesMax: Int = 32768) throws(Verdict) -> [Entry] {
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        let count = try Outcome(
            "getdents64", systemCall(SYS_getdents64, Int(descriptor), address(&buffer), bytesMax)
        ).succeeds()
        var entries: [Entry] = []
        var offset = 0
        buffer.withUnsafeBytes { bytes in
            while offset < count {
                let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt16.self))
                let name = bytes[(offset + 19)..<(offset + length)].prefix { $0 != 0 }
                entries.append(
                    Entry(
                        inode: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                        next: bytes.loadUnaligned(fromByteOffset: offset + 8, as: Int.self),
                        type: bytes[offset + 18], name: Bytes(Array(name))))
                offset += length
            }
        }
        return entries
    }

    /// A removed directory lists nothing: Linux refuses with ENOENT, others may answer . and .. still.
    func listsNothing() throws(Verdict) {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let outcome = Outcome("getdents64", systemCall(SYS_getdents64, Int(descriptor), address(&buffer), 1024))
        if outcome.raw > 0 {
            try seek(0, SEEK_SET).returns(0)
            try equal(entries().filter { $0.name != "." && $0.name != ".." }, [], "entries")
        } else {
            try outcome.answers([0, ENOENT])
        }
    }

    /// All entries from the current position on.
    func entries(bytesMax: Int = 32768) throws(Verdict) -> [Entry] {
        var all: [Entry] = []
        while true {
            let some = try someEntries(bytesMax: bytesMax)
            if some.isEmpty { return all }
            all += some
        }
    }
}
