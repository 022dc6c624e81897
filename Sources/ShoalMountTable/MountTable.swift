import Glibc

/// What is mounted where, as this process sees it (/proc/self/mountinfo; proc(5)). Reading it asks no filesystem
/// anything, so it never hangs.
package struct MountTable: Sendable {
    package struct Entry: Equatable, Sendable {
        /// `major:minor` of the mounted filesystem.
        package let device: String
        /// Absolute.
        package let mountpoint: String
        /// `fuse.shoal` for a Shoal mount.
        package let filesystem: String
        package let source: String
        package var isFuse: Bool { filesystem == "fuse" || filesystem.hasPrefix("fuse.") }

        /// `36 35 98:0 /root /mountpoint options optional... - filesystem source super-options`; nil for another line.
        init?(line: some StringProtocol) {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\n" })
            guard let dash = fields.firstIndex(of: "-"), dash > 4, fields.count > dash + 2 else { return nil }
            device = String(fields[2])
            mountpoint = Self.unescaped(fields[4])
            filesystem = Self.unescaped(fields[dash + 1])
            source = Self.unescaped(fields[dash + 2])
        }

        /// Blank, tab, newline and backslash stand there as `\` and three octal digits.
        private static func unescaped(_ field: some StringProtocol) -> String {
            var bytes: [UInt8] = []
            var rest = Array(field.utf8)[...]
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\\"), rest.count >= 3,
                    let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
                {
                    bytes.append(code)
                    rest = rest.dropFirst(3)
                } else {
                    bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The table could not be read: `errno` of open(2) or read(2).
    package struct Unreadable: Error, Equatable, CustomStringConvertible {
        package let errno: CInt
        package static var path: String { "/proc/self/mountinfo" }
        package var description: String { "\(Self.path): \(String(cString: strerror(errno)))" }
    }

    /// Later entries lie over earlier ones.
    package let entries: [Entry]

    /// - Throws: `Unreadable`.
    package init() throws(Unreadable) {
        guard let file = fopen(Unreadable.path, "re") else { throw Unreadable(errno: errno) }
        defer { fclose(file) }
        var entries: [Entry] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let line {
            if let entry = Entry(line: String(cString: line)) { entries.append(entry) }
        }
        guard ferror(file) == 0 else { throw Unreadable(errno: errno) }
        self.entries = entries
    }

    /// The text of such a file. What is no line of it is passed over.
    package init(parsing text: String) { entries = text.split(separator: "\n").compactMap { Entry(line: $0) } }

    /// What a user who goes to `path` (absolute, resolved) finds mounted exactly there.
    package func entry(at path: String) -> Entry? { entries.last { $0.mountpoint == path } }
}
