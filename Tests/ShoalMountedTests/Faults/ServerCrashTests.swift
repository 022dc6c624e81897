import Glibc
import Testing

extension MountedTests {
    @Suite("Death of a mount, of the metadata server, of everything", .serialized)
    struct ServerCrashTests {
        @Test("kill -9 of a mount: what it fsynced is there on the other one, and after a restart it serves again")
        func killMount() throws {
            try Cluster.with { cluster in
                let bytes = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                try Files.write(bytes, to: "\(cluster.a)/synced")
                try cluster.bash("head -c 3000000 /dev/urandom > $A/unsynced")
                try cluster.killProcess(cluster.state().mounts[0].process)
                #expect(try Files.bytes("\(cluster.b)/synced") == bytes)
                // Whatever of it is there is readable; how much is nobody's promise.
                try cluster.bash("cat $B/unsynced > /dev/null && echo new > $B/unsynced")
                try cluster.up()
                #expect(try Files.bytes("\(cluster.a)/synced") == bytes)
                #expect(Files.text("\(cluster.a)/unsynced") == "new\n")
                try cluster.bash("cp -r /usr/include/linux $A/linux && diff -r /usr/include/linux $B/linux")
            }
        }

        @Test("kill -9 of the metadata server: what was fsynced survives, and both mounts go on after its restart")
        func killMetadata() throws {
            try Cluster.with { cluster in
                for index in 0..<50 {
                    try Files.write(Array("file \(index)".utf8), to: "\(cluster.mounts[index % 2])/f\(index)")
                }
                try cluster.bash("mkdir $A/d && mv $A/f0 $A/d/moved && sync $A/d $A")
                try cluster.killProcess(cluster.state().meta.process)
                let waiting = try Command(["touch", "\(cluster.b)/while-it-was-away"])
                try cluster.up()
                let output = waiting.wait(secondsMax: 60)
                #expect(output.isSuccess, "\(output.err)")
                for mount in cluster.mounts {
                    for index in 1..<50 { #expect(Files.text("\(mount)/f\(index)") == "file \(index)") }
                    #expect(Files.text("\(mount)/d/moved") == "file 0")
                    #expect(access("\(mount)/while-it-was-away", F_OK) == 0)
                }
                try cluster.bash("cp -r /usr/include/linux $A/linux && diff -r /usr/include/linux $B/linux")
                try cluster.waitForStatus("everything is whole") { $0.isWhole }
            }
        }

        @Test("kill -9 of every process at once: what was fsynced is there after 'shoal up'")
        func killEverything() throws {
            try Cluster.with { cluster in
                let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 9) }
                try Files.write(bytes, to: "\(cluster.a)/large")
                for index in 0..<100 { try Files.write(Array("small \(index)".utf8), to: "\(cluster.b)/s\(index)") }
                try cluster.bash("sync $A")
                let state = try cluster.state()
                for process in state.mounts.map(\.process) + [state.meta.process] + state.nodes.map(\.process) {
                    try cluster.killProcess(process)
                }
                try cluster.up()
                for mount in cluster.mounts {
                    #expect(try Files.bytes("\(mount)/large") == bytes)
                    for index in 0..<100 { #expect(Files.text("\(mount)/s\(index)") == "small \(index)") }
                }
            }
        }
    }
}
