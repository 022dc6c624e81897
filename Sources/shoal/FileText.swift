import Glibc
import ShoalTypes

/// Attributes as `ls -l` writes them.
enum FileText {
    /// `drwxr-sr-t`
    static func mode(_ attributes: FileAttributes) -> String {
        let mode = attributes.mode
        var letters = Array("rwxrwxrwx").enumerated().map { mode >> (8 - UInt32($0)) & 1 == 1 ? $1 : "-" }
        for (bit, at, letter) in [(UInt32(0o4000), 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")] where mode & bit != 0 {
            letters[at] = Character(letters[at] == "x" ? letter : letter.uppercased())
        }
        return kindLetter(attributes.kind) + String(letters)
    }

    private static func kindLetter(_ kind: FileKind) -> String {
        switch kind {
        case .fifo: "p"
        case .characterDevice: "c"
        case .directory: "d"
        case .blockDevice: "b"
        case .regular: "-"
        case .symlink: "l"
        case .socket: "s"
        }
    }

    static func kind(_ kind: FileKind) -> String {
        switch kind {
        case .fifo: "fifo"
        case .characterDevice: "character device"
        case .directory: "directory"
        case .blockDevice: "block device"
        case .regular: "regular file"
        case .symlink: "symbolic link"
        case .socket: "socket"
        }
    }

    /// `2026-11-23 03:02:06`, UTC.
    static func time(_ timestamp: Timestamp) -> String {
        var seconds = time_t(timestamp.seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
