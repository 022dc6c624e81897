import CLinux
import Glibc

/// The names in a directory, sorted, with their types, as getdents64(2) gives them.
struct Listing {
    struct Entry: Equatable {
        var name: [UInt8]
        var type: UInt8
        var inode: Int
    }
    /// 0, or minus the errno.
    private(set) var result = 0
    private(set) var entries: [Entry] = []

    /// - Parameter bytesMax: Of one call.
    init(_ path: String, keepsAccessTime: Bool, bytesMax: Int = 32_768) {
        let file = Kernel.open(path, O_RDONLY | O_DIRECTORY | (keepsAccessTime ? linux_o_noatime : 0))
        guard file >= 0 else {
            result = file
            return
        }
        defer { _ = Kernel.close(file) }
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Kernel.call(SYS_getdents64, file, Int(bitPattern: $0.baseAddress), $0.count)
            }
            guard count > 0 else {
                result = count
                break
            }
            // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name.
            var offset = 0
            while offset < count {
                let length = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
                entries.append(
                    Entry(
                        name: Array(buffer[(offset + 19)..<(offset + length)].prefix { $0 != 0 }),
                        type: buffer[offset + 18],
                        inode: buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Int.self) }))
                offset += length
            }
        }
        entries.sort { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// What must be the same on any filesystem: names and types, each as often as it was given.
    var answer: Answer { Answer(result, entries.flatMap { $0.name + [0, $0.type] }) }

    var text: String {
        result < 0
            ? Answer(result).description
            : entries.map { String(decoding: $0.name, as: UTF8.self) + " (\($0.type))" }.joined(separator: " ")
    }
}
