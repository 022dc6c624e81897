import Foundation
import ShoalTypes
import Testing

@testable import ShoalClient

/// Accesses to blocks as they were recorded on a mount (Tests/CacheTraces/README.md).
private struct Trace {
    struct Visit {
        var file: Int
        var block: UInt64
        var parts: Int
    }
    var sizes: [UInt64]
    var visits: [Visit] = []

    init(_ name: String) throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: directory.appending(path: "CacheTraces/\(name).txt"), encoding: .utf8)
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").compactMap { Int($0) } }
        sizes = try #require(lines.first).map { UInt64($0) }
        for line in lines.dropFirst() {
            let fields = line + Array(repeating: 1, count: 5 - line.count)
            for number in 0..<fields[3] * fields[4] {
                let isRunOfFiles = fields[4] > 1
                visits.append(
                    Visit(
                        file: fields[0] + (isRunOfFiles ? number : 0),
                        block: UInt64(fields[1] + (isRunOfFiles ? 0 : number)), parts: fields[2]))
            }
        }
    }

    /// The part of the visits, in percent, that find their block in the cache.
    func hits(_ policy: CachePolicy, mebibytes: Int) -> Double {
        let cache = BlockCache(bytesMax: mebibytes << 20, policy: policy)
        let files = sizes.indices.map { Inode(id: InodeID(UInt64($0 + 1))) }
        var hits = 0
        for visit in visits {
            let inode = files[visit.file]
            let length = Int(min(sizes[visit.file] - visit.block << 17, UInt64(CacheBlock.bytes)))
            let block: CacheBlock
            if let known = inode.blocks[visit.block] {
                hits += 1
                block = known
            } else {
                let pages = (length + CacheBlock.pageBytes - 1) / CacheBlock.pageBytes
                block = CacheBlock(inode: inode, index: visit.block, pages: pages, from: cache.memory)
                inode.blocks[visit.block] = block
                block.pins += 1
                cache.insert(block)
                block.pins -= 1
            }
            for part in 0..<visit.parts {
                cache.touch(block, length * part / visit.parts..<length * (part + 1) / visit.parts)
            }
            #expect(cache.bytes <= mebibytes << 20)
        }
        for inode in files {
            for block in inode.blocks.values { cache.remove(block) }
        }
        return Double(hits) * 100 / Double(visits.count)
    }
}

@Suite("Cache policies on recorded traces")
struct CachePolicyTests {
    @Test("Searches and a database keep their blocks beside a scan under lfu, far less under lru")
    func scans() throws {
        let search = try Trace("search")
        #expect(search.hits(.lfu, mebibytes: 8) > search.hits(.lru, mebibytes: 8) + 20)
        #expect(search.hits(.lfu, mebibytes: 16) > search.hits(.lru, mebibytes: 16) + 25)
        let database = try Trace("database")
        #expect(database.hits(.lfu, mebibytes: 4) > database.hits(.lru, mebibytes: 4) + 5)
        #expect(database.hits(.lfu, mebibytes: 8) > database.hits(.lru, mebibytes: 8) + 3)
    }

    @Test("Work that moves on is served better under lru, as long as the cache holds little more than it")
    func shifts() throws {
        let batch = try Trace("batch")
        #expect(batch.hits(.lru, mebibytes: 6) > batch.hits(.lfu, mebibytes: 6) + 50)
        #expect(abs(batch.hits(.lru, mebibytes: 8) - batch.hits(.lfu, mebibytes: 8)) < 1)
    }

    @Test("A window that moves steadily is kept under both, and a loop larger than the cache under neither")
    func windows() throws {
        let window = try Trace("window")
        let loop = try Trace("loop")
        for policy in CachePolicy.allCases {
            #expect(window.hits(policy, mebibytes: 6) > 80)
            #expect(loop.hits(policy, mebibytes: 10) < 1)
            #expect(loop.hits(policy, mebibytes: 12) > 80)
        }
    }
}
