import ShoalTypes
import ShoalWire
import ShoalTestSupport

// Random values of the types that messages are made of, within their bounds.
extension SeededGenerator {
    mutating func number<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T {
        switch next() % 4 {
        case 0: 0
        case 1: T.max
        default: T.random(in: .min ... .max, using: &self)
        }
    }
    mutating func id<T: TypedNumber>(_ type: T.Type = T.self) -> T { T(number(T.RawValue.self)) }
    mutating func flag() -> Bool { Bool.random(using: &self) }
    mutating func double() -> Double { Double.random(in: -1e9...1e9, using: &self) }
    mutating func one<T>(of values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &self)] }
    mutating func list<T>(max: Int = 12, _ element: (inout SeededGenerator) -> T) -> [T] {
        (0..<Int.random(in: 0...max, using: &self)).map { _ in element(&self) }
    }
    mutating func optional<T>(_ value: (inout SeededGenerator) -> T) -> T? { flag() ? value(&self) : nil }
    mutating func text() -> String {
        String(list(max: 20) { $0.one(of: ["a", "Z", "/", "é", "鮫", "\u{0}", "🐟"]) }.joined())
    }
    mutating func raw(max: Int) -> [UInt8] { bytes(Int.random(in: 0...max, using: &self)) }

    mutating func name() -> FileName {
        let legal = (1...255).map(UInt8.init).filter { $0 != 0x2F && $0 != 0x2E }
        let count = Int.random(in: 1...255, using: &self)
        let bytes = (0..<count).map { _ in one(of: legal) }
        do throws(FileError) { return try FileName(bytes) } catch { preconditionFailure("\(bytes) is a name") }
    }
    mutating func chunk() -> ChunkID { ChunkID(data: id(), index: number()) }
    mutating func timestamp() -> Timestamp {
        Timestamp(seconds: number(), nanoseconds: UInt32.random(in: 0..<1_000_000_000, using: &self))
    }
    mutating func mode() -> LeaseMode { one(of: [.none, .pin, .names, .part, .read, .write]) }
    mutating func fileMode() -> UInt32 { one(of: FileKind.allCases).rawValue | UInt32(next() % 0o10000) }
    mutating func log2() -> UInt8 { UInt8.random(in: Geometry.chunkBytesLog2Range, using: &self) }
    mutating func extent() -> LeaseExtent { LeaseExtent(first: number(), end: number()) }
    mutating func grant() -> Grant {
        let mode = mode()
        return Grant(
            mode: mode, sequence: id(), minimumEpoch: id(), tailUnclean: flag(),
            extent: mode == .part ? extent() : .whole)
    }
    mutating func lease() -> HeldLease {
        let mode = mode()
        return HeldLease(inode: id(), mode: mode, sequence: id(), extent: mode == .part ? extent() : .whole)
    }
    mutating func caller() -> Caller { Caller(session: id(), change: number(), isRetry: flag()) }
    mutating func trashPlace() -> TrashPlace { TrashPlace(milliseconds: number(), inode: id()) }
    mutating func fileSize() -> UInt64 { UInt64.random(in: 0...Geometry.fileBytesMax, using: &self) }
    mutating func attributes() -> FileAttributes {
        FileAttributes(
            inode: id(), mode: fileMode(), linkCount: number(), uid: number(), gid: number(), device: number(),
            size: fileSize(), accessTime: timestamp(), modifyTime: timestamp(), changeTime: timestamp(), data: id(),
            chunkBytesLog2: log2(), reservedSize: fileSize(), allocatedBytes: fileSize(),
            extendedAttributes: summary(), countsInQuota: flag())
    }
    mutating func summary() -> ExtendedAttributeSummary {
        let names = UInt32.random(in: 0...UInt32(ExtendedAttributeLimits.namesBytesMax), using: &self)
        let room = UInt32(ExtendedAttributeLimits.inodeBytesMax) - names
        return ExtendedAttributeSummary(nameBytes: names, valueBytes: UInt32.random(in: 0...room, using: &self))
            ?? .none
    }
    mutating func attributeName() -> ExtendedAttributeName {
        let prefix = one(of: ["user.", "trusted.", "security."])
        let rest = (0..<Int.random(in: 1...200, using: &self)).map { _ in UInt8.random(in: 1...255, using: &self) }
        do throws(FileError) {
            return try one(of: [.accessList, .defaultList, ExtendedAttributeName(Array(prefix.utf8) + rest)])
        } catch { preconditionFailure("\(prefix)\(rest) is a name") }
    }
    mutating func commit() -> WriteCommit {
        var commit = WriteCommit()
        commit.inode = id()
        commit.sequence = id()
        commit.size = number()
        commit.reservedSize = number()
        commit.allocatedBytes = fileSize()
        commit.neededSize = number()
        commit.modifyTime = timestamp()
        commit.changeTime = timestamp()
        commit.accessTime = optional { $0.timestamp() }
        return commit
    }
    mutating func entry() -> EntryReply {
        EntryReply(attributes: attributes(), grant: grant(), parentGrant: grant(), parent: attributes())
    }
    mutating func map() -> ClusterMap {
        ClusterMap(
            epoch: id(), replicaCount: number(),
            nodes: list { random in
                NodeDescription(
                    id: random.id(), address: random.text(), zone: random.text(), weight: random.double(),
                    isUp: random.flag())
            },
            partitions: list { random in
                PartitionAssignment(
                    replicas: random.list(max: 4) { random in
                        Replica(node: random.id(), state: random.one(of: ReplicaState.allCases))
                    }, changedAt: random.id())
            }, fenced: list { $0.id() })
    }
    mutating func usage() -> NodeUsage {
        var usage = NodeUsage()
        usage.bytesTotal = number()
        usage.bytesFree = number()
        usage.chunks = number()
        usage.reads = number()
        usage.writes = number()
        usage.bytesRead = number()
        usage.bytesWritten = number()
        usage.requestsPerSecond = double()
        usage.corruptChunks = number()
        usage.repairedChunks = number()
        return usage
    }
}
