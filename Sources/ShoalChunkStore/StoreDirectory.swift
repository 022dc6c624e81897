import Glibc
import ShoalChecksum

/// The small files at the top of a store's directory.
///
/// - `format`: `shoal chunk store 1\n`, written first and never changed. A directory with an index but without it, or
///   with another text, is refused.
/// - `state`: one line `open|clean intact|lost BOOT-ID CRC\n`, CRC being the CRC-32C of what is before it (with the
///   space), 8 hex digits; filled up with blanks to 64 bytes. Replaced when the store is opened, when it has been
///   closed, and when a loss has been reported; overwritten in place if the disk has no room for a second one.
struct StoreDirectory {
    private static let stateBytes = 64
    static let formatText = "shoal chunk store 1\n"
    let disk: any Disk
    let path: String

    var dataPath: String { "\(path)/data" }
    var indexPath: String { "\(path)/index" }

    /// How the store was left.
    struct Ending {
        /// It was not closed.
        var needsRecovery: Bool
        /// The machine went down while it was open, now or before an earlier start, and nobody has been told: what was
        /// not synced may be lost.
        var hasLost: Bool
    }

    /// Makes an empty directory a store, and refuses what is none.
    func prepare() throws(ChunkStoreError) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try diskCall { () throws(DiskError) in
            try disk.makeDirectory(path)
            try disk.syncDirectory(parent.isEmpty ? "/" : parent)
        }
        if let text = try read("format") {
            guard text == Self.formatText else {
                let shown = text.prefix(40).filter { !$0.isNewline }
                throw .badFormat("\(path)/format says '\(shown)', not '\(Self.formatText.dropLast())'")
            }
        } else {
            let names = try diskCall { () throws(DiskError) in try disk.list(path) }
            guard !names.contains("index"), !names.contains("data") else {
                throw .badFormat("\(path) holds chunks, but its file 'format' is missing")
            }
            try replace("format", with: Self.formatText)
        }
        try diskCall { () throws(DiskError) in
            try disk.makeDirectory(dataPath)
            try disk.makeDirectory(indexPath)
            try disk.syncDirectory(path)
        }
    }

    /// Reads how the last run ended, and notes that this one has begun. Only under the index's lock.
    func begin() throws(ChunkStoreError) -> Ending {
        let boot = try diskCall { () throws(DiskError) in try disk.bootID() }
        let ending: Ending
        if let line = try read("state") {
            ending = Self.ending(line, boot: boot)
        } else {
            ending = Ending(needsRecovery: false, hasLost: false)
        }
        try note(isOpen: true, hasLost: ending.hasLost)
        return ending
    }

    /// Notes how things stand.
    func note(isOpen: Bool, hasLost: Bool) throws(ChunkStoreError) {
        let boot = try diskCall { () throws(DiskError) in try disk.bootID() }
        let line = Self.line(isOpen ? "open" : "clean", hasLost ? "lost" : "intact", boot: boot)
        let padding = String(repeating: " ", count: max(0, Self.stateBytes - line.utf8.count))
        let text = "\(line.dropLast())\(padding)\n"
        do throws(ChunkStoreError) { try replace("state", with: text) } catch {
            guard error == .noSpace else { throw error }
            try overwriteState(with: text)
        }
    }

    /// A full disk still takes what is as long as before. A line that is torn by a crash counts as the worst.
    private func overwriteState(with text: String) throws(ChunkStoreError) {
        try diskCall { () throws(DiskError) in
            try disk.unlink("\(path)/state.new")
            let file = try disk.open("\(path)/state", create: false)
            try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(DiskError) in
                try file.write(at: 0, UnsafeRawBufferPointer(bytes))
            }
            try file.sync()
        }
    }

    private static func line(_ state: String, _ loss: String, boot: String) -> String {
        let text = "\(state) \(loss) \(boot) "
        let digits = String(Array(text.utf8).withUnsafeBytes { CRC32C.checksum($0) }, radix: 16)
        return text + String(repeating: "0", count: 8 - digits.count) + digits + "\n"
    }

    /// A line that cannot be read counts as the worst.
    private static func ending(_ text: String, boot: String) -> Ending {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count == 4, text.last == "\n",
            line(String(words[0]), String(words[1]), boot: String(words[2])) == words.joined(separator: " ") + "\n"
        else {
            return Ending(needsRecovery: true, hasLost: true)
        }
        let isOpen = words[0] != "clean"
        return Ending(needsRecovery: isOpen, hasLost: words[1] == "lost" || (isOpen && words[2] != boot))
    }

    /// nil if there is no such file. At most 256 bytes.
    private func read(_ name: String) throws(ChunkStoreError) -> String? {
        do throws(DiskError) {
            let file = try disk.open("\(path)/\(name)", create: false)
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(DiskError) in
                try file.read(at: 0, into: UnsafeMutableRawBufferPointer(buffer))
            }
            return String(decoding: bytes[..<count], as: UTF8.self)
        } catch {
            if error.errno == ENOENT { return nil }
            throw ChunkStoreError(error)
        }
    }

    /// The old text or the new one is there after a crash, never a part.
    private func replace(_ name: String, with text: String) throws(ChunkStoreError) {
        try diskCall { () throws(DiskError) in
            try disk.unlink("\(path)/\(name).new")
            let file = try disk.open("\(path)/\(name).new", create: true)
            try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(DiskError) in
                try file.write(at: 0, UnsafeRawBufferPointer(bytes))
            }
            try file.sync()
            try disk.rename("\(path)/\(name).new", to: "\(path)/\(name)")
            try disk.syncDirectory(path)
        }
    }
}
