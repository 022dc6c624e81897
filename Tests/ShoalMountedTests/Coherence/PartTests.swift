import ShoalTestSupport
import Testing

extension MountedTests {
    @Suite("Files that two mounts write at once, in different chunks", .serialized)
    struct PartTests {
        /// Writes, reads and syncs in its own chunks of a file of 16, each 4 KiB of which has one number all over, and looks
        /// into others' now and then; then says what its chunks have.
        private static let worker = """
            import os, random, struct, sys
            path, number, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
            random.seed(seed + number)
            file = os.open(path, os.O_RDWR)
            chunk, cell = 4 << 20, 4096
            mine = [number * 4 + n for n in range(4)]
            known = {}
            def value(data):
                numbers = set(struct.unpack("<512Q", data))
                assert len(numbers) == 1, "a torn cell"
                return numbers.pop()
            for step in range(1, 400):
                place = random.choice(mine) * chunk // cell + random.randrange(0, chunk // cell - 16)
                count = random.randrange(1, 17)
                what = random.randrange(100)
                if what < 60:
                    stamp = number * 1_000_000 + step
                    assert os.pwrite(file, struct.pack("<Q", stamp) * 512 * count, place * cell) == count * cell
                    for one in range(place, place + count): known[one] = stamp
                elif what < 97:
                    data = os.pread(file, count * cell, place * cell)
                    assert len(data) == count * cell, f"{len(data)} bytes"
                    for one in range(count):
                        found = value(data[one * cell:(one + 1) * cell])
                        assert found == known.get(place + one, 0), f"cell {place + one}: {found}"
                elif what < 99:
                    other = random.randrange(16 * chunk // cell)
                    value(os.pread(file, cell, other * cell))
                    assert os.fstat(file).st_size == 16 * chunk
                else:
                    os.fsync(file)
            os.close(file)
            print("\\n".join(f"{one} {stamp}" for one, stamp in known.items()))
            """

        @Test("each reads what it has written, and afterwards both mounts have all of it")
        func disjoint() throws {
            let seed = testSeed("parts") % 1_000_000
            try Cluster.with { cluster in
                try Command.bash("truncate -s 64M \(cluster.a)/f")
                let workers = try (0..<4).map { number in
                    try Command([
                        "python3", "-c", Self.worker, "\(cluster.mounts[number / 2])/f", "\(number)", "\(seed)",
                    ])
                }
                var known: [Int: UInt64] = [:]
                for worker in workers {
                    let output = worker.wait()
                    #expect(output.isSuccess, "\(output.err)")
                    for line in output.out.split(separator: "\n") {
                        let numbers = line.split(separator: " ").compactMap { UInt64($0) }
                        if numbers.count == 2 { known[Int(numbers[0])] = numbers[1] }
                    }
                }
                #expect(known.count > 500)
                for mount in cluster.mounts {
                    let content = try Files.bytes("\(mount)/f")
                    #expect(content.count == 64 << 20)
                    let wrong = known.filter { cell, stamp in
                        (0..<512).contains { word in
                            let start = cell * 4096 + word * 8
                            return (0..<8).reduce(UInt64(0)) { $0 | UInt64(content[start + $1]) << (8 * UInt64($1)) }
                                != stamp
                        }
                    }
                    #expect(wrong.isEmpty)
                }
            }
        }
    }
}
