import ShoalTestSupport
import ShoalTypes
import ShoalWire

extension MessageSample {
    static let all =
        session + namespace + extendedAttributes + leases + locks + chunks + space + cluster + upkeep

    private static let session = [
        MessageSample(of: Hello.self) {
            $0 = Hello(
                role: $1.one(of: [.metadata, .node, .client, .command]), cluster: $1.id(), session: $1.id(),
                generation: $1.id(), node: $1.id())
            $0.minimumVersion = $1.number()
            $0.maximumVersion = $1.number()
        },
        MessageSample { _ in Empty() },
        MessageSample { OpenSessionRequest(label: $0.text()) },
        MessageSample { OpenSessionReply(session: $0.id(), termMilliseconds: $0.number(), map: $0.map()) },
        MessageSample { SessionRequest(session: $0.id()) },
        MessageSample { HeartbeatReply(epoch: $0.id(), isSpaceLow: $0.flag()) },
        MessageSample { ReclaimLeasesRequest(session: $0.id(), leases: $0.list { $0.lease() }, isLast: $0.flag()) },
        MessageSample { MapMessage(map: $0.map()) },
        MessageSample { ReportNodeRequest(node: $0.id(), epoch: $0.id(), partition: $0.id()) },
    ]

    private static let namespace = [
        MessageSample { NameRequest(caller: $0.caller(), parent: $0.id(), name: $0.name(), unused: $0.id()) },
        MessageSample { InodeRequest(caller: $0.caller(), inode: $0.id()) },
        MessageSample { $0.entry() },
        MessageSample { LookupReply(found: $0.optional { $0.entry() }, parentGrant: $0.grant()) },
        MessageSample(of: SetAttributesRequest.self) {
            $0 = SetAttributesRequest(caller: $1.caller(), inode: $1.id(), change: AttributeChange())
            $0.change.permissions = $1.optional { $0.number() }
            $0.change.uid = $1.optional { $0.number() }
            $0.change.gid = $1.optional { $0.number() }
            $0.change.size = $1.optional { $0.number() }
            $0.change.allocatedBytes = $1.optional { $0.fileSize() }
            $0.change.accessTime = $1.optional { $0.timestamp() }
            $0.change.modifyTime = $1.optional { $0.timestamp() }
        },
        MessageSample {
            ReadDirectoryRequest(
                caller: $0.caller(), inode: $0.id(), after: $0.number(), before: $0.number(), limit: $0.number(),
                withAttributes: $0.flag())
        },
        MessageSample {
            ReadDirectoryReply(
                entries: $0.list { random in
                    DirectoryEntry(
                        name: random.name(), inode: random.id(), kind: random.one(of: FileKind.allCases),
                        cookie: random.number(), attributes: random.optional { $0.attributes() },
                        grant: random.grant())
                }, isEnd: $0.flag(), before: $0.number(), parent: $0.id())
        },
        MessageSample(of: CreateRequest.self) {
            $0.caller = $1.caller()
            $0.parent = $1.id()
            $0.name = $1.name()
            $0.mode = $1.fileMode()
            $0.umask = $1.number()
            $0.uid = $1.number()
            $0.gid = $1.number()
            $0.device = $1.number()
            $0.target = $1.raw(max: Geometry.symlinkBytesMax)
            $0.opensForWriting = $1.flag()
        },
        MessageSample { LinkRequest(caller: $0.caller(), inode: $0.id(), parent: $0.id(), name: $0.name()) },
        MessageSample(of: RenameRequest.self) {
            $0.caller = $1.caller()
            $0.parent = $1.id()
            $0.name = $1.name()
            $0.newParent = $1.id()
            $0.newName = $1.name()
            $0.rule = $1.one(of: [.replace, .noReplace, .exchange])
            $0.unused = $1.id()
        },
        MessageSample(of: RemovalReply.self) {
            $0.removed = $1.attributes()
            $0.isOrphan = $1.flag()
            $0.moved = $1.id()
            $0.trash = $1.id()
            $0.changed = $1.list(max: RemovalReply.changedMax) { $0.attributes() }
        },
        MessageSample { ReadLinkReply(target: $0.raw(max: Geometry.symlinkBytesMax)) },
        MessageSample(of: FileSystemStatistics.self) {
            $0 = FileSystemStatistics(bytesTotal: $1.number(), bytesFree: $1.number(), inodesUsed: $1.number())
            $0.inodesFree = $1.optional { $0.number() }
        },
    ]

    private static let extendedAttributes = [
        MessageSample(of: SetExtendedAttributeRequest.self) {
            $0.caller = $1.caller()
            $0.inode = $1.id()
            $0.name = $1.attributeName()
            $0.value = $1.raw(max: 300)
            $0.rule = ExtendedAttributeRule(rawValue: UInt8($1.next() % 8))
        },
        MessageSample { ExtendedAttributeRequest(caller: $0.caller(), inode: $0.id(), name: $0.attributeName()) },
        MessageSample { ExtendedAttributeReply(value: $0.raw(max: 300)) },
        MessageSample(of: ExtendedAttributesReply.self) {
            $0.attributes = $1.attributes()
            $0.grant = $1.grant()
            $0.entries = $1.list { random in
                ExtendedAttribute(name: random.attributeName(), value: random.optional { $0.raw(max: 40) })
            }
        },
    ]

    private static let leases = [
        MessageSample {
            AcquireLeaseRequest(caller: $0.caller(), inode: $0.id(), mode: $0.mode(), extent: $0.extent())
        },
        MessageSample { ReleaseLeasesRequest(caller: $0.caller(), leases: $0.list { $0.lease() }) },
        MessageSample {
            CommitWritesRequest(caller: $0.caller(), commits: $0.list { $0.commit() })
        },
        MessageSample {
            CommitWritesReply(
                outcomes: $0.list {
                    CommitWritesReply.Outcome(
                        status: $0.one(of: [.ok, .failed(.noSpace), .staleLease, .unknownSession]), data: $0.id(),
                        reservedSize: $0.number())
                })
        },
        MessageSample(of: CommitWriteRequest.self) {
            $0.caller = $1.caller()
            $0.inode = $1.id()
            $0.sequence = $1.id()
            $0.size = $1.number()
            $0.reservedSize = $1.number()
            $0.allocatedBytes = $1.fileSize()
            $0.neededSize = $1.number()
            $0.modifyTime = $1.timestamp()
            $0.changeTime = $1.timestamp()
            $0.accessTime = $1.optional { $0.timestamp() }
        },
        MessageSample {
            AccessTimesRequest(
                caller: $0.caller(),
                times: $0.list {
                    AccessTime(inode: $0.id(), time: $0.timestamp(), previous: $0.optional { $0.timestamp() })
                })
        },
        MessageSample { RecallRequest(inode: $0.id(), sequence: $0.id(), mode: $0.mode()) },
        MessageSample { RecallReply(remaining: $0.mode()) },
        MessageSample { GlimpseRequest(inode: $0.id(), sequence: $0.id()) },
        MessageSample {
            GlimpseReply(
                size: $0.number(), allocatedBytes: $0.fileSize(), modifyTime: $0.timestamp(),
                changeTime: $0.timestamp(), accessTime: $0.optional { $0.timestamp() }, isIdle: $0.flag())
        },
        MessageSample { PrepareUploadRequest(caller: $0.caller(), size: $0.number()) },
        MessageSample { PrepareUploadReply(data: $0.id(), sequence: $0.id(), chunkBytesLog2: $0.log2()) },
        MessageSample(of: PublishUploadRequest.self) {
            $0.caller = $1.caller()
            $0.parent = $1.id()
            $0.name = $1.name()
            $0.data = $1.id()
            $0.size = $1.number()
            $0.mode = $1.number()
            $0.uid = $1.number()
            $0.gid = $1.number()
        },
        MessageSample { AbandonUploadRequest(caller: $0.caller(), data: $0.id()) },
    ]

    private static let chunks = [
        MessageSample {
            ReadChunkRequest(
                epoch: $0.id(), chunk: $0.chunk(), offset: $0.number(), length: $0.number(), isResync: $0.flag())
        },
        MessageSample {
            ReadChunkReply(checksums: $0.list(max: 256) { $0.number() }, holes: $0.list(max: 4) { $0.number() })
        },
        MessageSample(of: WriteChunkRequest.self) {
            $0.epoch = $1.id()
            $0.session = $1.id()
            $0.generation = $1.id()
            $0.sequence = $1.id()
            $0.chunk = $1.chunk()
            $0.offset = $1.number()
            $0.version = $1.number()
            $0.chunkBytesLog2 = $1.number()
            $0.checksums = $1.list(max: 256) { $0.number() }
        },
        MessageSample(of: TruncateChunkRequest.self) {
            $0.epoch = $1.id()
            $0.session = $1.id()
            $0.generation = $1.id()
            $0.sequence = $1.id()
            $0.chunk = $1.chunk()
            $0.length = $1.number()
            $0.version = $1.number()
        },
        MessageSample { ChunkListRequest(epoch: $0.id(), chunks: $0.list { $0.chunk() }) },
        MessageSample {
            ChunkDigestReply(
                digests: $0.list { random in
                    ChunkDigest(
                        chunk: random.chunk(), version: random.number(), sequence: random.id(),
                        length: random.number(), checksum: random.number())
                }, isEnd: $0.flag())
        },
        MessageSample {
            PartitionDigestRequest(epoch: $0.id(), partition: $0.id(), after: $0.optional { $0.chunk() })
        },
    ]

    private static let cluster = [
        MessageSample(of: RegisterNodeRequest.self) {
            $0.node = $1.id()
            $0.cluster = $1.id()
            $0.address = $1.text()
            $0.zone = $1.text()
            $0.weight = $1.double()
            $0.usage = $1.usage()
            $0.isIntact = $1.flag()
        },
        MessageSample {
            RegisterNodeReply(
                node: $0.id(), cluster: $0.id(), heartbeatMilliseconds: $0.number(), map: $0.map())
        },
        MessageSample { $0.usage() },
        MessageSample { NodeHeartbeatRequest(node: $0.id(), usage: $0.usage()) },
        MessageSample { PartitionsSyncedRequest(node: $0.id(), epoch: $0.id(), partitions: $0.list { $0.id() }) },
        MessageSample { NodeRequest(node: $0.id()) },
        MessageSample(of: ClusterStatusReply.self) {
            $0.cluster = $1.id()
            $0.map = $1.map()
            $0.usages = $1.list { random in
                var node = ClusterStatusReply.Node()
                node.id = random.id()
                node.usage = random.usage()
                return node
            }
            $0.sessions = $1.list { random in
                var session = ClusterStatusReply.Session()
                session.id = random.id()
                session.label = random.text()
                session.leases = random.number()
                session.silentMilliseconds = random.number()
                return session
            }
            $0.inodes = $1.number()
            $0.requestsPerSecond = $1.double()
            $0.requests = $1.number()
            $0.reclaimQueue = $1.number()
        },
    ]

    private static let upkeep = [
        MessageSample {
            SetQuotaRequest(
                caller: $0.caller(), inode: $0.id(), bytes: $0.optional { $0.number() },
                inodes: $0.optional { $0.number() })
        },
        MessageSample { QuotaListRequest(caller: $0.caller(), inode: $0.id(), after: $0.id()) },
        MessageSample {
            QuotaListReply(
                entries: $0.list { random in
                    var entry = QuotaEntry()
                    entry.tree = random.id()
                    entry.parent = random.id()
                    entry.limit = QuotaAmount(bytes: random.number(), inodes: random.number())
                    entry.used = QuotaAmount(bytes: random.number(), inodes: random.number())
                    entry.state = random.one(of: QuotaEntry.State.allCases)
                    return entry
                }, isEnd: $0.flag())
        },
        MessageSample {
            SetTrashRequest(
                caller: $0.caller(),
                keepSeconds: $0.optional { .random(in: 1...SetTrashRequest.keepSecondsMax, using: &$0) })
        },
        MessageSample { ListTrashRequest(caller: $0.caller(), after: $0.trashPlace()) },
        MessageSample(of: ListTrashReply.self) {
            $0.isOn = $1.flag()
            $0.keepSeconds = $1.number()
            $0.items = $1.list { random in
                var item = TrashItem()
                item.place = random.trashPlace()
                item.directory = random.id()
                item.name = random.name()
                item.formerParent = random.id()
                item.formerName = random.name()
                item.size = random.number()
                return item
            }
            $0.next = $1.optional { $0.trashPlace() }
        },
        MessageSample { EmptyTrashRequest(caller: $0.caller()) },
    ]
}
