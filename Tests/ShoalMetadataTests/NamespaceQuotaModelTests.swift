import ShoalTestSupport
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

/// Random operations and random quotas, set and removed while directories are still being counted.
@Suite("Quotas under random operations")
struct NamespaceQuotaModelTests {
    private static let names = ["a", "b", "c", "d"]

    private struct World {
        let shoal: NamespaceFixture
        var random: SeededGenerator
        var directories: [InodeID] = [.root]
        var files: [InodeID] = []
        var outcomes: [String: Int] = [:]

        mutating func directory() -> InodeID { directories.randomElement(using: &random) ?? .root }
        mutating func name() -> String { names.randomElement(using: &random) ?? "a" }
        mutating func size() -> UInt64 { UInt64.random(in: 0...50, using: &random) }

        mutating func attempt(_ what: String, _ body: (inout World) throws -> Void) throws {
            do {
                try body(&self)
                outcomes[what, default: 0] += 1
            } catch MetadataError.file(let error) {
                outcomes["\(what) \(error)", default: 0] += 1
            }
        }

        mutating func step(links: Bool) throws {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<15:
                try attempt("create") { $0.files.append(try $0.shoal.create($0.name(), in: $0.directory())) }
            case 15..<27:
                try attempt("mkdir") { $0.directories.append(try $0.shoal.directory($0.name(), in: $0.directory())) }
            case 27..<42:
                guard let file = files.randomElement(using: &random) else { return }
                try attempt("write") {
                    let (size, ahead) = ($0.size(), $0.size())
                    _ = try $0.shoal.commitWrite(file, size: size, reserved: size + ahead, needed: size)
                }
            case 42..<67:
                let rules: [RenameRequest.Rule] = [.replace, .replace, .noReplace, .exchange]
                try attempt("rename") {
                    let rule = rules.randomElement(using: &$0.random) ?? .replace
                    $0.shoal.inUse = Bool.random(using: &$0.random) ? $0.files : []
                    _ = try $0.shoal.rename(
                        $0.name(), in: $0.directory(), to: $0.name(), into: $0.directory(), rule)
                }
            case 67..<74:
                shoal.inUse = Bool.random(using: &random) ? files : []
                try attempt("unlink") { _ = try $0.shoal.unlink($0.name(), in: $0.directory()) }
            case 74..<78: try attempt("rmdir") { _ = try $0.shoal.removeDirectory($0.name(), in: $0.directory()) }
            case 78..<81:
                guard links, let file = files.randomElement(using: &random) else { return }
                try attempt("link") { _ = try $0.shoal.link(file, as: $0.name(), in: $0.directory()) }
            case 81..<83:
                guard let orphan = try shoal.orphans().randomElement(using: &random) else { return }
                try shoal.commit { _ = try $0.reclaimOrphan(orphan) }
            case 83..<86:
                try attempt("set") {
                    let (bytes, inodes) = (UInt64.random(in: 0...400, using: &$0.random), $0.size())
                    try $0.shoal.setQuota($0.directory(), bytes: bytes, inodes: inodes, counting: false)
                }
            case 86..<89:
                try attempt("remove") {
                    let tree = $0.shoal.namespace.quotas.inOrder.map(\.tree).randomElement(using: &$0.random)
                    try $0.shoal.removeQuota(tree ?? .root)
                }
            default: try shoal.stepQuotas(limit: Int.random(in: 1...4, using: &random))
            }
        }
    }

    @Test("usage is what a walk counts, at every moment and when all is quiet", arguments: [false, true])
    func usage(links: Bool) throws {
        var world = World(shoal: try NamespaceFixture(), random: SeededGenerator("quotaUsage"))
        let shoal = world.shoal
        let quota = [
            "create quota", "mkdir quota", "write quota", "rename quota", "rename crossDevice", "set", "remove",
        ]
        // A run in which quotas happen to be wide goes on until it has met them.
        for step in 1...60_000 {
            if step > 6000, quota.allSatisfy({ world.outcomes[$0, default: 0] > 0 }) { break }
            try world.step(links: links)
            if step % 25 == 0 { try shoal.namespace.checkInvariants() }
            if step % 300 == 0 { try shoal.restart() }
            if step % 600 == 0 { try compare(world, links: links) }
            if step % 1500 == 0 { try clear(&world) }
        }
        for what in quota where world.outcomes[what, default: 0] == 0 { Issue.record("the run never met: \(what)") }
    }

    private func compare(_ world: World, links: Bool) throws {
        let shoal = world.shoal
        for orphan in try shoal.orphans() { try shoal.commit { _ = try $0.reclaimOrphan(orphan) } }
        try shoal.settleQuotas()
        try shoal.namespace.checkInvariants()
        // With hard links, files that had names on both sides of a new quota stay charged to one of them.
        guard !links else { return }
        for (tree, quota) in shoal.namespace.quotas.inOrder where quota.state == .active {
            #expect(try shoal.walked(tree) == quota.used)
        }
    }

    /// A fresh subtree from time to time, or everything is refused.
    private func clear(_ world: inout World) throws {
        let shoal = world.shoal
        for (tree, quota) in shoal.namespace.quotas.inOrder {
            // One that is going goes with its last charge, which the removal of another may take: a file with two names.
            guard shoal.namespace.quotas[tree] != nil else {
                #expect(quota.state == .removing)
                continue
            }
            try shoal.removeQuota(tree)
        }
        try shoal.settleQuotas()
        #expect(shoal.namespace.quotas.inOrder.allSatisfy { $0.quota.state == .removing })
    }
}
