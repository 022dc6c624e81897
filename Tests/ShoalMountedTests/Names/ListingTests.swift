import ShoalTestSupport
import Glibc
import Testing

extension MountedTests {
    @Suite("Listings", .serialized)
    struct ListingTests {
        @Test("Names that stay are listed once while others come and go; a place that telldir(3) gave stays good")
        func stable() throws {
            try Cluster.with { cluster in
                let count = 1500
                try cluster.bash("mkdir $A/d; cd $A/d; seq -f 'stays-%05g' \(count) | xargs touch")
                let directory = try #require(opendir("\(cluster.b)/d"))
                defer { closedir(directory) }
                var seen: [String: Int] = [:]
                var places: [(place: Int, next: String)] = []
                var number = 0
                while true {
                    let place = telldir(directory)
                    guard let entry = readdir(directory) else { break }
                    let name = Self.name(of: entry)
                    seen[name, default: 0] += 1
                    if number % 250 == 0 { places.append((place, name)) }
                    if number % 100 == 0 {
                        let file = try check(
                            open("\(cluster.a)/d/comes-\(number)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644), "open")
                        close(file)
                        if number >= 600 { try check(unlink("\(cluster.a)/d/comes-\(number - 600)"), "unlink") }
                    }
                    number += 1
                }
                #expect(seen.filter { $0.key.hasPrefix("stays") }.count == count)
                #expect(seen.values.allSatisfy { $0 == 1 }, "each once")
                for (place, next) in places.reversed() where !next.hasPrefix("comes") {
                    seekdir(directory, place)
                    let entry = try #require(readdir(directory))
                    #expect(Self.name(of: entry) == next)
                }
                rewinddir(directory)
                let first = try #require(readdir(directory))
                #expect(Self.name(of: first) == ".")
            }
        }

        @Test("A large directory is listed by the other mount, with attributes, in bounded memory")
        func large() throws {
            try Cluster.with { cluster in
                let count = Scale.isFull ? 1_000_000 : 3000
                try cluster.bash("mkdir $A/d; cd $A/d; seq -f 'name-%07g' \(count) | xargs touch", secondsMax: 3000)
                let mount = try cluster.state().mounts[1].process
                let before = try cluster.residentBytesMax(mount)
                let listed = try cluster.bash("ls -f $B/d | sort | uniq | wc -l; ls -l $B/d | wc -l", secondsMax: 3000)
                #expect(
                    listed.split(separator: "\n").map { Int($0.filter(\.isNumber)) } == [count + 2, count + 1])
                #expect(try cluster.residentBytesMax(mount) - before < 100 << 20)
            }
        }

        @Test("The number of .. in a listing is that of the directory above, also after another mount moved it")
        func parent() throws {
            try Cluster.with { cluster in
                try cluster.bash(
                    """
                    mkdir -p $A/one/d $A/two
                    ls -lai $B/one/d > /dev/null
                    mv $A/one/d $A/two/d
                    """)
                let directory = try #require(opendir("\(cluster.b)/two/d"))
                defer { closedir(directory) }
                var numbers: [String: UInt] = [:]
                while let entry = readdir(directory) { numbers[Self.name(of: entry)] = UInt(entry.pointee.d_ino) }
                var status = stat()
                try check(stat("\(cluster.b)/two", &status), "stat")
                #expect(numbers[".."] == status.st_ino)
            }
        }

        private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
            withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
        }
    }
}
