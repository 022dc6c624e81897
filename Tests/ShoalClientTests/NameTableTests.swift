import ShoalTestSupport
import ShoalTypes
import Testing

@testable import ShoalClient

@Suite("Tables of names and of inodes")
struct NameTableTests {
    @Test("A table of names answers as a dictionary does, whatever is put in and taken out")
    func asDictionary() {
        var random = SeededGenerator("tables")
        var table = NameTable<InodeID>()
        var model: [FileName: InodeID] = [:]
        for step in 0..<60_000 {
            // Short names collide, long ones are as long as can be; phases of growth and of emptying.
            let letters = Int.random(in: 0..<500, using: &random)
            let name = named(String(repeating: "ä", count: 1 + letters % 126) + "\(letters)")
            let value = InodeID(.random(in: 0...UInt64.max, using: &random))
            if Int.random(in: 0..<10, using: &random) < (step / 5000 % 2 == 0 ? 7 : 3) {
                #expect(table.updateValue(value, forKey: name) == model.updateValue(value, forKey: name))
            } else {
                #expect(table.removeValue(forKey: name) == model.removeValue(forKey: name))
            }
            if step % 4999 == 0 {
                table.removeAll { $0.rawValue % 3 == 0 }
                model = model.filter { $0.value.rawValue % 3 != 0 }
            }
            #expect(table.count == model.count && table.isEmpty == model.isEmpty)
            if step % 1000 == 0 {
                for (name, value) in model { #expect(table[name] == value) }
                #expect(table[named("none")] == nil)
            }
        }
        for name in model.keys { table.removeValue(forKey: name) }
        #expect(table.isEmpty && table.bytes == 0)
    }

    @Test("Names that come and go leave nothing behind")
    func churn() {
        var table = NameTable<InodeID>()
        for number in 0..<100_000 {
            table.updateValue(InodeID(1), forKey: named("temporary-\(number)"))
            if number >= 50 { table.removeValue(forKey: named("temporary-\(number - 50)")) }
        }
        #expect(table.count == 50 && table.bytes < 8192)
    }

    @Test("A table of inodes finds what is in it, in order of use, whatever comes and goes")
    func inodes() {
        var random = SeededGenerator("tables")
        let table = InodeTable()
        var order: [InodeID] = []
        for step in 0..<30_000 {
            let id = InodeID(.random(in: 1...(step % 10_000 < 5000 ? 2000 : 100), using: &random))
            order.removeAll { $0 == id }
            if Int.random(in: 0..<10, using: &random) < 6 {
                let known = table.existing(id)
                let inode = table.inode(id)
                #expect(inode.id == id && (known == nil || known === inode))
                order.append(id)
            } else if let inode = table.existing(id) {
                table.remove(inode)
                #expect(table.existing(id) == nil)
            }
            #expect(table.count == order.count)
            if step % 500 == 0 { #expect(table.all.map(\.id) == order) }
        }
    }

    @Test("What the kernel was told of outlives what is remembered of the inode")
    func kernelLookups() {
        let table = InodeTable()
        let id = InodeID(7)
        for _ in 0..<3 {
            _ = table.inode(id)
            table.kernelLearned(id)
            table.remove(table.inode(id))
            table.kernelLearned(id)
        }
        table.kernelForgot(id, lookups: 5)
        #expect(table.kernelKnows(id) && table.inode(id).kernelLookups == 1)
        table.kernelForgot(id, lookups: 1)
        #expect(!table.kernelKnows(id))
        table.remove(table.inode(id))
        table.kernelForgot(id, lookups: 1)
        #expect(!table.kernelKnows(id))
    }
}
