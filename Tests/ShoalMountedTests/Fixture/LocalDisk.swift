import Glibc
import ShoalTestSupport

/// A directory on a local ext4, whose behaviour is what a mount's is measured by.
enum LocalDisk {
    /// Calls `body` with an empty directory that every user can reach.
    /// - Returns: false if there is no ext4 here; nothing was done.
    static func with(_ body: (String) throws -> Void) throws -> Bool {
        let candidates = try Command.bash("stat -f -c %T /tmp /var/tmp").split(separator: "\n")
        guard let index = candidates.firstIndex(of: "ext2/ext3") else { return false }
        var template = Array("\(["/tmp", "/var/tmp"][index])/shoal-local-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError("mkdtemp", errno) }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try check(chmod(directory, 0o755), "chmod")
        do {
            try body(directory)
        } catch {
            try Command.bash("rm -rf --one-file-system -- \"$D\"", environment: ["D": directory])
            throw error
        }
        try Command.bash("rm -rf --one-file-system -- \"$D\"", environment: ["D": directory])
        return true
    }
}
