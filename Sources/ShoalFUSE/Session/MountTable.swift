import Glibc

/// One line of /proc/self/mountinfo (proc(5)). Reading it asks no filesystem anything, so it never hangs.
struct MountTableEntry: Equatable {
    /// `major:minor` of the mounted filesystem.
    var device: String
    var mountpoint: String
    var type: String

    /// The entry that covers `mountpoint` (an absolute, resolved path); nil if nothing is mounted exactly there.
    static func at(_ mountpoint: String) throws(FuseError) -> MountTableEntry? {
        try all().last { $0.mountpoint == mountpoint }
    }

    private static func all() throws(FuseError) -> [MountTableEntry] {
        guard let file = fopen("/proc/self/mountinfo", "re") else {
            throw .mountFailed("/proc/self/mountinfo", reason: String(cString: strerror(errno)))
        }
        defer { fclose(file) }
        var entries: [MountTableEntry] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let line {
            if let entry = MountTableEntry(line: String(cString: line)) { entries.append(entry) }
        }
        return entries
    }

    /// `36 35 98:0 /root /mountpoint options optional... - type source super-options`
    init?(line: String) {
        let fields = line.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard let dash = fields.firstIndex(of: "-"), dash > 4, dash + 1 < fields.count else { return nil }
        device = String(fields[2])
        mountpoint = MountTableEntry.unescaped(fields[4])
        type = String(fields[dash + 1])
    }

    /// Space, tab, newline and backslash stand there as `\` and three octal digits.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(Substring(rest.prefix(3))), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
