import Testing

extension MountedTests {
    @Suite("Death of a storage node", .serialized)
    struct NodeCrashTests {
        @Test(
            "kill -9 of a node during a copy: the copy goes on with a pause under 3 s, is right, and the node comes back without stale data"
        )
        func killDuringCopy() throws {
            try Cluster.with(secondsMax: 600) { cluster in
                try cluster.bash(
                    """
                    mkdir $T/tree && cp -a \(Scale.isFull ? "/usr/include" : "/usr/include/linux") $T/tree/small
                    for i in $(seq 20); do head -c 3000000 /dev/urandom > $T/tree/large$i; done
                    cp -a $T/tree $A/before
                    """)
                let copy = try Command(["cp", "-a", cluster.environment["T"]! + "/tree", cluster.a + "/tree"])
                let prober = Prober(path: "\(cluster.a)/probe")
                // Mid-copy: the first names are there, the last ones are not.
                while try cluster.bash("ls $B/tree 2>/dev/null | wc -l || true") == "0\n", !copy.hasEnded {}
                #expect(!copy.hasEnded, "the node must die during the copy")
                try cluster.killProcess(cluster.state().nodes[0].process)
                // Writes over what the dead node has: if it served its old bytes later, the diff below would show it.
                try cluster.bash(
                    "cd $A/before && find small -type f -size -40k | awk 'NR <= 200' | while read f; do echo changed > $f; done"
                )
                let output = copy.wait(secondsMax: 240)
                #expect(output.isSuccess, "\(output.err)")
                let longest = try prober.stop()
                print("longest pause of a write and fsync: \(longest) s")
                #expect(longest < 3)
                try cluster.bash("diff -r --no-dereference $T/tree $B/tree", secondsMax: 240)

                try cluster.up()
                try cluster.waitForStatus("the returned node is in sync") { $0.isWhole && $0.totals.nodesUp == 3 }
                // Now the returned node must serve what only it and the dead one have. A restart empties all caches.
                try cluster.bash("cp -a $B/before $T/before")
                try cluster.down()
                try cluster.up()
                try cluster.killProcess(cluster.state().nodes[1].process)
                try cluster.bash("diff -r --no-dereference $T/tree $A/tree", secondsMax: 240)
                try cluster.bash("diff -r --no-dereference $T/before $B/before", secondsMax: 240)
            }
        }
    }
}
