import CLinux
import Glibc

/// Compares files and trees: names, types, attributes, contents, extended attributes with ACLs, symlink targets.
enum TreeComparison {
    /// The first difference between two trees; nil if there is none.
    /// - Parameter isShared: see `Sight`.
    static func difference(_ reference: String, _ subject: String, isShared: Bool) -> String? {
        let sight = Sight.Pair(reference: Sight(reference), subject: Sight(subject, isShared: isShared))
        if let what = sight.difference { return "\(subject): \(what)" }
        guard sight.reference.error == 0 else { return nil }
        if let what = differenceOfExtendedAttributes(reference, subject) { return what }
        switch sight.reference.kind {
        case Kernel.directory: return differenceOfDirectories(reference, subject, isDeep: true, isShared: isShared)
        case Kernel.regular: return differenceOfContents(reference, subject)
        case Kernel.symlink:
            let (expected, came) = (target(reference), target(subject))
            return expected == came ? nil : "\(subject): the target is \(expected) there, \(came) here"
        default: return nil
        }
    }

    /// - Parameter isDeep: With everything below.
    static func differenceOfDirectories(
        _ reference: String, _ subject: String, isDeep: Bool, isShared: Bool
    ) -> String? {
        let expected = Listing(reference, keepsAccessTime: true)
        let came = Listing(subject, keepsAccessTime: true)
        guard expected.answer == came.answer else {
            return "\(subject): entries are \(expected.text) there, \(came.text) here"
        }
        for entry in came.entries where isDeep {
            let name = String(decoding: entry.name, as: UTF8.self)
            guard name != ".", name != ".." else { continue }
            guard Sight("\(subject)/\(name)", isShared: isShared).inode == entry.inode else {
                return "\(subject)/\(name): the listing gives the inode number \(entry.inode), stat another"
            }
            if let what = difference("\(reference)/\(name)", "\(subject)/\(name)", isShared: isShared) { return what }
        }
        return nil
    }

    /// Leaves out what is a hole on both sides: a file may have terabytes of it.
    static func differenceOfContents(_ reference: String, _ subject: String) -> String? {
        let files = [reference, subject].map { Kernel.open($0, O_RDONLY | O_NONBLOCK | linux_o_noatime) }
        defer { for file in files where file >= 0 { _ = Kernel.close(file) } }
        guard files[0] >= 0, files[1] >= 0 else { return "\(subject): cannot be opened: \(files)" }
        var offset = 0
        while let data = files.compactMap({ nextData($0, from: offset) }).min() {
            offset = data
            let (expected, came) = (
                Kernel.read(files[0], pieceBytes, at: offset), Kernel.read(files[1], pieceBytes, at: offset)
            )
            guard expected.bytes == came.bytes, expected.result == came.result else {
                let place = zip(expected.bytes, came.bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
                let bytes = [expected, came].map { "\($0.bytes.dropFirst(place).prefix(8)) of \($0.result)" }
                return "\(subject): content differs at \(offset + place): \(bytes[0]) there, \(bytes[1]) here"
            }
            // A short read is the end of the file.
            guard expected.result == pieceBytes else { return nil }
            offset += pieceBytes
        }
        return nil
    }

    private static let pieceBytes = 1 << 20

    /// nil if nothing but holes follows. The first bytes count as data: to ask for a hole makes the mount write back.
    private static func nextData(_ file: Int, from offset: Int) -> Int? {
        if offset == 0 { return 0 }
        let seekData = 3
        let place = Kernel.call(SYS_lseek, file, offset, seekData)
        return place < 0 ? nil : place
    }

    private static func target(_ path: String) -> String {
        let room = 4096
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            count = Kernel.with(path) {
                let start = Int(bitPattern: buffer.baseAddress)
                return max(0, Kernel.call(SYS_readlinkat, Kernel.currentDirectory, $0, start, room))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Parameter follows: Of what the paths lead to, as those of open files do.
    static func differenceOfExtendedAttributes(
        _ reference: String, _ subject: String, follows: Bool = false
    ) -> String? {
        let (expected, came) = (extendedAttributes(reference, follows), extendedAttributes(subject, follows))
        guard expected != came else { return nil }
        let texts = [expected, came].map { list in
            list.map { "\($0.name) = \($0.value.prefix(44))" }.joined(separator: ", ")
        }
        return "\(subject): extended attributes are \(texts[0]) there, \(texts[1]) here"
    }

    private struct Attribute: Equatable {
        var name: String
        var value: [UInt8]
    }

    /// By name.
    private static func extendedAttributes(_ path: String, _ follows: Bool) -> [Attribute] {
        func filled(_ body: (Int, Int) -> Int) -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                count = max(0, body(Int(bitPattern: buffer.baseAddress), buffer.count))
            }
        }
        let (list, get) = follows ? (SYS_listxattr, SYS_getxattr) : (SYS_llistxattr, SYS_lgetxattr)
        let names = filled { bytes, room in Kernel.with(path) { Kernel.call(list, $0, bytes, room) } }
        return names.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.sorted().map { name in
            let value = filled { bytes, room in
                Kernel.with(path, name) { Kernel.call(get, $0, $1, bytes, room) }
            }
            return Attribute(name: name, value: value)
        }
    }
}
