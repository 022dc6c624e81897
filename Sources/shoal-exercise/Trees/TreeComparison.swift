import CLinux
import Glibc

/// Compares two trees: names, types, attributes, contents, extended attributes, symlink targets.
enum TreeComparison {
    /// The first difference; nil if there is none.
    static func difference(_ reference: String, _ subject: String) -> String? {
        let (a, b) = (Sight(reference), Sight(subject))
        if let what = Sight.difference(a, b, before: (a, b), set: nil) { return "\(subject): \(what)" }
        let (result, status) = Kernel.status(reference)
        guard result == 0 else { return nil }
        if extendedAttributes(reference) != extendedAttributes(subject) { return "\(subject): extended attributes" }
        switch Int(status.st_mode) & Kernel.typeMask {
        case Kernel.directory: return differenceOfDirectories(reference, subject)
        case Kernel.regular: return differenceOfContents(reference, subject)
        case Kernel.symlink:
            let same = target(reference) == target(subject)
            return same ? nil : "\(subject): the target of the symbolic link"
        default: return nil
        }
    }

    private static func differenceOfDirectories(_ reference: String, _ subject: String) -> String? {
        let (expected, came) = (Listing.entries(reference), Listing.entries(subject))
        guard expected.result == came.result else { return "\(subject): reading the directory" }
        let names = expected.entries.map { $0.name + [0, $0.type] }
        let others = came.entries.map { $0.name + [0, $0.type] }
        guard names == others else {
            let lists = [names, others].map { $0.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
            return "\(subject): entries are \(lists[0]) there, \(lists[1]) here"
        }
        for entry in expected.entries {
            let name = String(decoding: entry.name, as: UTF8.self)
            guard name != ".", name != ".." else { continue }
            if let what = difference("\(reference)/\(name)", "\(subject)/\(name)") { return what }
        }
        return nil
    }

    private static func differenceOfContents(_ reference: String, _ subject: String) -> String? {
        let files = [reference, subject].map { Kernel.open($0, O_RDONLY) }
        defer { for file in files where file >= 0 { _ = Kernel.close(file) } }
        guard files[0] >= 0, files[1] >= 0 else { return "\(subject): cannot open: \(files)" }
        var offset = 0
        while true {
            let (expected, came) = (
                Kernel.read(files[0], 1 << 20, at: offset), Kernel.read(files[1], 1 << 20, at: offset)
            )
            guard expected.bytes == came.bytes, expected.result == came.result else {
                let place = zip(expected.bytes, came.bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
                return "\(subject): content differs at \(offset + place) (read \(expected.result), \(came.result))"
            }
            guard expected.result > 0 else { return nil }
            offset += expected.result
        }
    }

    private static func target(_ path: String) -> [UInt8] {
        let room = 4096
        return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            count = Kernel.with(path) {
                max(
                    0,
                    Kernel.call(SYS_readlinkat, Kernel.currentDirectory, $0, Int(bitPattern: buffer.baseAddress), room))
            }
        }
    }

    /// Name, NUL, value, by name.
    private static func extendedAttributes(_ path: String) -> [[UInt8]] {
        func filled(_ body: (Int, Int) -> Int) -> [UInt8] {
            [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                count = max(0, body(Int(bitPattern: buffer.baseAddress), buffer.count))
            }
        }
        let names = filled { bytes, room in Kernel.with(path) { Kernel.call(SYS_llistxattr, $0, bytes, room) } }
        return names.split(separator: 0).map(Array.init).filter { !$0.starts(with: Array("security.".utf8)) }
            .sorted { $0.lexicographicallyPrecedes($1) }
            .map { name in
                let text = String(decoding: name, as: UTF8.self)
                return name + [0]
                    + filled { bytes, room in
                        Kernel.with(path, text) { Kernel.call(SYS_lgetxattr, $0, $1, bytes, room) }
                    }
            }
    }
}
