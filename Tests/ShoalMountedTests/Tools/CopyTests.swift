import Testing

extension MountedTests {
    @Suite("Copying trees", .serialized)
    struct CopyTests {
        @Test(
            "A tree copied into one mount is the same on the other, for diff, rsync and sha256sum, also after a restart"
        )
        func copies() throws {
            try Cluster.with(secondsMax: Scale.isFull ? 3600 : 600) { cluster in
                let seconds = Scale.isFull ? 1800 : 240
                for tree in Scale.trees {
                    try cluster.bash("mkdir -p $A\(tree) && cp -a \(tree)/. $A\(tree)", secondsMax: seconds)
                    try cluster.bash("diff -r --no-dereference \(tree) $B\(tree)", secondsMax: seconds)
                    let changes = try cluster.bash(
                        "rsync -a --checksum --dry-run --itemize-changes \(tree)/ $B\(tree)/", secondsMax: seconds)
                    #expect(changes == "")
                    try cluster.bash(
                        "cd \(tree) && find . -type f -print0 | sort -z | xargs -0 sha256sum >> $T/sums\(tree.filter { $0 != "/" })",
                        secondsMax: seconds)
                }
                // The block cache, and what the issue allows besides.
                for mount in try cluster.state().mounts {
                    #expect(try cluster.residentBytesMax(mount.process) < (256 + 100) << 20)
                }
                try cluster.down()
                try cluster.up()
                for tree in Scale.trees {
                    try cluster.bash(
                        "cd $A\(tree) && sha256sum --quiet -c $T/sums\(tree.filter { $0 != "/" })", secondsMax: seconds)
                }
            }
        }

        @Test("tar unpacks on one mount what it packs from the other")
        func tar() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    """
                    cd /usr/include && tar cf $T/in.tar linux
                    mkdir $A/out && tar xf $T/in.tar -C $A/out
                    diff -r --no-dereference linux $B/out/linux
                    tar cf $T/back.tar -C $B/out linux && mkdir $T/back && tar xf $T/back.tar -C $T/back
                    diff -r --no-dereference linux $T/back/linux
                    rm -r $B/out && test ! -e $A/out
                    """)
            }
        }
    }
}
