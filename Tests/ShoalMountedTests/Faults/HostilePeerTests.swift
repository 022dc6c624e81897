import Glibc
import Testing

extension MountedTests {
    @Suite("Hostile and foreign peers", .serialized)
    struct HostilePeerTests {
        @Test("Random bytes to every port: all processes live, serve, and log little")
        func randomBytes() throws {
            try Cluster.with { cluster in
                let state = try cluster.state()
                let before = try logLines(cluster)
                for address in [state.meta.address] + state.nodes.map(\.address) {
                    try cluster.bash(
                        """
                        python3 - \(address.split(separator: ":")[1]) \(Scale.isFull ? 100 : 20) <<'E'
                        import os, socket, sys
                        left = int(sys.argv[2]) << 20
                        while left > 0:
                            try:
                                with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as peer:
                                    while left > 0:
                                        left -= peer.send(os.urandom(min(left, 65536)))
                            except OSError:
                                left -= 65536
                        E
                        """)
                }
                for process in [state.meta.process] + state.nodes.map(\.process) {
                    #expect(kill(process?.pid ?? 0, 0) == 0, "it lives")
                }
                // Thousands of connections were refused: not a line for each.
                #expect(try logLines(cluster) - before < 100)
                try cluster.bash("cp -r /usr/include/linux $A/linux && diff -r /usr/include/linux $B/linux")
            }
        }

        private func logLines(_ cluster: Cluster) throws -> Int {
            Int(try cluster.bash("cat $DIR/logs/*.log | wc -l").filter(\.isNumber)) ?? 0
        }

        @Test(
            "A peer that speaks another protocol, or nothing at all, is named in one line",
            arguments: ["speaks", "is silent"])
        func foreignPeer(kind: String) throws {
            let script = """
                import socket, sys
                server = socket.create_server(("127.0.0.1", 0))
                print(server.getsockname()[1], flush=True)
                peers = []
                while True:
                    peer, _ = server.accept()
                    peers.append(peer)
                    if sys.argv[1] == "speaks":
                        peer.sendall(b"HTTP/1.0 400 Bad Request\\r\\n\\r\\n" * 100)
                """
            let output = try Command.bash(
                """
                exec 3< <(exec python3 -c "$SCRIPT" "$KIND")
                server=$!
                trap 'kill $server' EXIT
                read -u 3 port
                set +e
                $SHOAL status --meta 127.0.0.1:$port 2>&1 >/dev/null
                echo "status $?"
                """, environment: ["SCRIPT": script, "KIND": kind, "SHOAL": Cluster.binary])
            let lines = output.split(separator: "\n")
            #expect(lines.count == 2 && output.contains("127.0.0.1:") && !output.contains("status 0"), "\(output)")
        }
    }
}
