import CLinux
import Glibc

/// Who makes the system calls: the check's process runs as root and becomes somebody else for a while.
struct User {
    var id: Int
    var group: Int
    var groups: [UInt32] = []

    static let alice = User(id: 2001, group: 2001)
    static let bob = User(id: 2002, group: 2002)
    /// In alice's group besides the own one.
    static let bobInAlicesGroup = User(id: 2002, group: 2002, groups: [2001])
    static let aliceInBobsGroup = User(id: 2001, group: 2001, groups: [2002])

    /// Makes `body`'s calls as this user, without root's privileges. The saved user stays root, to come back.
    func does(_ body: () throws -> Void) throws {
        try enter()
        do {
            try body()
        } catch {
            try leave()
            throw error
        }
        try leave()
    }

    private func enter() throws(Verdict) {
        try Self.setGroups(groups)
        try Outcome("setresgid", systemCall(SYS_setresgid, group, group, 0)).succeeds()
        try Outcome("setresuid", systemCall(SYS_setresuid, id, id, 0)).succeeds()
    }

    private func leave() throws(Verdict) {
        try Outcome("setresuid", systemCall(SYS_setresuid, 0, 0, 0)).succeeds()
        try Outcome("setresgid", systemCall(SYS_setresgid, 0, 0, 0)).succeeds()
        try Self.setGroups([])
    }

    private static func setGroups(_ groups: [UInt32]) throws(Verdict) {
        let count = groups.count
        try groups.withUnsafeBufferPointer {
            Outcome("setgroups", systemCall(SYS_setgroups, count, $0.baseAddress.map { address($0) } ?? 0))
        }.succeeds()
    }
}
