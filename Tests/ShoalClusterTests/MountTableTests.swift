import ShoalMountTable
import Testing

@testable import ShoalCluster

@Suite struct MountTableTests {
    @Test("Mountpoints with blanks are read, and the uppermost filesystem is the one at a path")
    func parsing() {
        let table = MountTable(
            parsing: """
                36 35 98:0 /mnt1 /mnt\\040a rw,noatime master:1 - ext3 /dev/root rw,errors=continue
                37 36 0:42 / /mnt\\040a rw shared:2 - fuse.shoal shoal@127.0.0.1:7600#1 rw
                nonsense

                """)
        #expect(table.entries.count == 2)
        #expect(table.entry(at: "/mnt a")?.isShoal == true)
        #expect(table.entry(at: "/mnt a")?.process?.pid == 1)
        #expect(table.entry(at: "/mnt a")?.device == "0:42")
        #expect(table.entry(at: "/mnt") == nil)
    }

    @Test("The process of a mount is the number at the end of its source")
    func noProcess() {
        let table = MountTable(parsing: "36 35 98:0 / / rw - ext4 shoal@127.0.0.1:7600#1 rw")
        #expect(table.entry(at: "/")?.filesystem == "ext4")
        #expect(table.entry(at: "/")?.process == nil, "not ours")
    }
}
