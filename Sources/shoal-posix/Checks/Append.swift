import Glibc

/// O_APPEND, from one and several processes.
func appendChecks() -> [Check] {
    var laws = CheckList("append")
    laws.check("every write goes to the end, whatever the position") { act, see in
        try act.file("f", "abc")
        let file = try act.open("f", O_RDWR | O_APPEND)
        try file.seek(0, SEEK_SET).returns(0)
        try file.write("def").returns(3)
        try file.seek(0, SEEK_CUR).returns(6)
        try see.contains("f", "abcdef")
    }
    laws.check("pwrite with O_APPEND goes to the end on Linux") { act, see in
        try act.file("f", "abc")
        try act.open("f", O_RDWR | O_APPEND).pwrite("def", at: 0).returns(3)
        try see.contains("f", "abcdef")
    }
    laws.check("a write goes to the end that another has just moved") { act, see in
        try act.file("f")
        let (a, b) = (try act.open("f", O_WRONLY | O_APPEND), try see.open("f", O_WRONLY | O_APPEND))
        for number in 0..<20 { try (number % 2 == 0 ? a : b).write("\(number % 10)").returns(1) }
        try see.contains("f", "01234567890123456789")
    }
    laws.check("a write after a truncation goes to the new end") { act, see in
        try act.file("f", "abcdef")
        let file = try act.open("f", O_WRONLY | O_APPEND)
        try see.truncate("f", 2).succeeds()
        try file.write("X").returns(1)
        try see.contains("f", "abX")
        try act.truncate("f", 5).succeeds()
        try file.write("Y").returns(1)
        try see.contains("f", "abX" + Bytes([0, 0]) + "Y")
    }
    laws.check("reading starts at the beginning") { act, _ in
        try act.file("f", "abc")
        try equal(act.open("f", O_RDWR | O_APPEND).read(2), "ab", "first bytes")
    }
    laws.check("O_APPEND is turned on and off by F_SETFL") { act, see in
        try act.file("f", "abc")
        let file = try act.open("f")
        try file.control(F_SETFL, Int(O_APPEND)).succeeds()
        try file.write("d").returns(1)
        try file.control(F_SETFL, 0).succeeds()
        try file.seek(0, SEEK_SET).returns(0)
        try file.write("A").returns(1)
        try see.contains("f", "Abcd")
    }
    laws.check("writev appends its parts together") { act, see in
        try act.file("f", "a")
        try act.open("f", O_WRONLY | O_APPEND).writev(["b", "c", "d"]).returns(3)
        try see.contains("f", "abcd")
    }
    for count in [2, 4] {
        laws.check("\(count) processes append lines: none is lost, torn or out of its writer's order") { act, see in
            try act.file("f")
            var peers: [Peer] = []
            for writer in 0..<count {
                peers.append(
                    try Peer.start { peer in
                        let file = try (writer % 2 == 0 ? act : see).open("f", O_WRONLY | O_APPEND)
                        try peer.hear()
                        for number in 0..<50 {
                            let line = Bytes(
                                "\(writer) \(number) \(String(repeating: "x", count: number * 13 % 200)) end\n")
                            try file.write(line).returns(line.count)
                        }
                    })
            }
            for peer in peers { try peer.tell() }
            for peer in peers { try peer.end() }
            let lines = try see.content("f").text.split(separator: "\n")
            try equal(lines.count, count * 50, "lines")
            for writer in 0..<count {
                let own = lines.filter { $0.hasPrefix("\(writer) ") && $0.hasSuffix(" end") }
                try equal(
                    own.map { $0.split(separator: " ")[1] }, (0..<50).map { "\($0)" }, "lines of writer \(writer)")
            }
        }
    }
    return laws.checks
}
