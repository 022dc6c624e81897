import Glibc
import Testing

extension MountedTests {
    @Suite("Full disks", .serialized)
    struct FullDiskTests {
        @Test(
            "Full disks give the writer ENOSPC, lose nothing that was there, and take writes again when space is free")
        func full() throws {
            try Cluster.with { cluster in
                try cluster.bash("head -c 20000000 /dev/urandom > $T/kept && cp $T/kept $A/kept && sync $A/kept")
                try cluster.down()
                for node in ["node1", "node2", "node3"] {
                    try cluster.bash(
                        """
                        truncate -s 300M $T/\(node).img && mkfs.ext4 -q $T/\(node).img
                        mv $DIR/\(node) $T/\(node) && mkdir $DIR/\(node) && mount -o loop $T/\(node).img $DIR/\(node)
                        cp -a $T/\(node)/. $DIR/\(node)/ && rm -r $T/\(node)
                        """)
                }
                try cluster.up()
                let output = try Command(
                    ["dd", "if=/dev/urandom", "of=\(cluster.a)/large", "bs=1M", "count=2000", "conv=fsync"]
                ).wait()
                #expect(!output.isSuccess && output.err.contains("No space left on device"), "\(output.err)")
                try cluster.bash("cmp $T/kept $B/kept && cmp $T/kept $A/kept")
                try cluster.bash("rm $B/large")
                // The space is given back in the background.
                var attempt = try Command(["cp", "\(cluster.root)/local/kept", "\(cluster.a)/again"]).wait()
                let deadline = Clock.seconds + 60
                while !attempt.isSuccess, Clock.seconds < deadline {
                    attempt = try Command(["cp", "\(cluster.root)/local/kept", "\(cluster.a)/again"]).wait()
                }
                try cluster.bash("sync $A/again && cmp $T/kept $B/again && cmp $T/kept $B/kept")
                for node in try cluster.state().nodes { #expect(kill(node.process?.pid ?? 0, 0) == 0, "it lives") }
            }
        }
    }
}
