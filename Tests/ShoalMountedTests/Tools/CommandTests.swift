import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    @Suite("Commands on a real cluster", .serialized)
    struct CommandTests {
        /// Ends with a failure and one line on standard error that says `part`.
        private func expectRefusal(
            _ words: [String], says part: String, _ location: SourceLocation = #_sourceLocation
        ) throws {
            let output = try Command([Cluster.binary] + words).wait(secondsMax: 60)
            let command = Comment(rawValue: "shoal \(words.joined(separator: " ")): \(output.err)")
            #expect(output.status == 1, command, sourceLocation: location)
            #expect(output.err == "shoal: \(part)\n", command, sourceLocation: location)
        }

        @Test("put, get, ls, rm, stat and where see what mounts see, and name what is wrong")
        func files() throws {
            try Cluster.with(mounts: 1) { cluster in
                try cluster.bash(
                    """
                    cd $T && head -c 5000000 /dev/urandom > large && echo small > small && mkdir $A/d $A/empty
                    c="--dir $DIR"
                    $SHOAL put $c large /d/large && cmp large $A/d/large && $SHOAL put $c small /d/ && cmp small $A/d/small
                    $SHOAL put $c small /d/large && cmp small $A/d/large
                    $SHOAL put $c large /d/large && $SHOAL get $c /d/large copy && cmp large copy
                    $SHOAL get $c /d/small copy && cmp small copy && $SHOAL get $c /d/small - | cmp - small
                    [ "$($SHOAL ls $c /d | xargs)" = "large small" ]
                    $SHOAL stat $c /d/large | grep -q 'size *5000000'
                    [ $($SHOAL where $c /d/large | grep -c 'in sync') = 4 ]
                    exec 7< $A/d/large && $SHOAL rm $c /d/large && cmp large - <&7 && exec 7<&- && [ ! -e $A/d/large ]
                    ln -s small $A/d/link && $SHOAL rm $c /d/link && cmp small $A/d/small
                    """)
                let local = "\(cluster.root)/local"
                let c = ["--dir", cluster.directory]
                try expectRefusal(["rm", "/none"] + c, says: "/none: No such file or directory")
                try expectRefusal(["rm", "/d"] + c, says: "/d: Is a directory")
                try expectRefusal(["rm", "-r", "/"] + c, says: "/: Invalid argument")
                try expectRefusal(["rm", ""] + c, says: "'': No such file or directory")
                try expectRefusal(
                    ["put", "\(local)/small", "/no/such/x"] + c, says: "/no/such: No such file or directory")
                try expectRefusal(["put", "\(local)/none", "/x"] + c, says: "\(local)/none: No such file or directory")
                try expectRefusal(["put", local, "/x"] + c, says: "\(local): not a regular file")
                try expectRefusal(["get", "/d"] + c, says: "/d: Is a directory")
                try expectRefusal(["get", "/d/small", "/none/x"] + c, says: "/none/x: No such file or directory")
                try expectRefusal(["get", "/d/small", local] + c, says: "\(local): Is a directory")
                try expectRefusal(["where", "/d"] + c, says: "/d: Is a directory")
                try cluster.run(["rm", "-r", "/d", "/empty"] + c)
                #expect(try cluster.bash("ls -A $A") == "")
            }
        }

        @Test("down writes back and unmounts also what was mounted by hand, and leaves everything if one is in use")
        func downWithMountsByHand() throws {
            try Cluster.with(mounts: 1) { cluster in
                let byHand = "\(cluster.root)/hand"
                try check(mkdir(byHand, 0o755), "mkdir")
                try cluster.run(["mount", try cluster.state().meta.address, byHand])
                try cluster.bash("mkfifo $DIR/../fifo")
                let holder = try Command([
                    "bash", "-c", "exec 9> \(byHand)/held; echo buffered >&9; read < \(cluster.root)/fifo",
                ])
                try cluster.bash("until [ -s $A/held ]; do :; done")
                let output = try Command([Cluster.binary, "down", "--dir", cluster.directory]).wait()
                #expect(output.status == 1 && output.err.contains("\(byHand): in use by bash"), "\(output.err)")
                #expect(try cluster.bash("cat $A/held") == "buffered\n", "everything still runs")
                try cluster.bash("echo > $DIR/../fifo")
                #expect(holder.wait().isSuccess)
                try cluster.run(["down", "--dir", cluster.directory])
                #expect(try cluster.bash("ls -A $A $DIR/../hand | grep -c held || true") == "0\n", "nothing is mounted")
                try cluster.up()
                #expect(try cluster.bash("cat $A/held") == "buffered\n")
                try #require(try cluster.bash("grep -h 'unclean end' $DIR/logs/*.log || true") == "")
            }
        }
    }
}
