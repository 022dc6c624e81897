import Glibc

/// What is mounted where, as this process sees it (/proc/self/mountinfo; proc(5)).
package struct MountTable: Sendable {
    package struct Entry: Equatable, Sendable {
        package var mountpoint: String
        /// `fuse.shoal` for a Shoal mount.
        package var filesystem: String
        package var source: String
        package var isShoal: Bool { filesystem == "fuse.shoal" }
        /// The process that serves a Shoal mount; its source is `shoal@HOST:PORT#PID`.
        package var process: ProcessIdentity? {
            guard isShoal, let hash = source.lastIndex(of: "#"), let pid = Int32(source[source.index(after: hash)...])
            else { return nil }
            return ProcessIdentity(runningAs: pid)
        }
    }

    /// Later entries lie over earlier ones.
    package let entries: [Entry]

    package init() throws(ClusterError) {
        self.init(parsing: try TextFile.read("/proc/self/mountinfo") ?? "")
    }

    init(parsing text: String) {
        entries = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash > 4, fields.count > dash + 2 else { return nil }
            return Entry(
                mountpoint: Self.unescape(fields[4]), filesystem: Self.unescape(fields[dash + 1]),
                source: Self.unescape(fields[dash + 2]))
        }
    }

    /// What a user who goes to `path` finds mounted there.
    package func entry(at path: String) -> Entry? { entries.last { $0.mountpoint == path } }

    /// Blanks, tabs, newlines and backslashes are written as three octal digits.
    private static func unescape(_ field: Substring) -> String {
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
