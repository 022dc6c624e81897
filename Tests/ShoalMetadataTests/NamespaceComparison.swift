import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

/// Drives the namespace and the model with the same random operations.
struct NamespaceComparison {
    let shoal: NamespaceFixture
    let model: NamespaceModel
    var random: SeededGenerator
    /// Every inode there ever was: dead ones are asked for too.
    private var inodes: [InodeID] = [.root]
    private let names: [FileName]
    /// What happened at least once, so that a run which never met an error does not count.
    private var outcomes: Set<String> = []

    init(_ shoal: NamespaceFixture, seed: UInt64) throws {
        self.shoal = shoal
        model = NamespaceModel(root: try shoal.attributes(.root))
        random = SeededGenerator(seed: seed)
        names = try ["a", "b", "c", "d", "e", "f"].map { try FileName($0.utf8) }
    }

    mutating func run(operations: Int) throws {
        for step in 1...operations {
            try one()
            if step % 500 == 0 { try shoal.restart() }
            if step % 2000 == 0 || step == operations { try compareAll() }
        }
        let expected: [String: [FileError]] = [
            "CreateRequest": [.notFound, .notDirectory, .exists],
            "LinkRequest": [.notFound, .notDirectory, .exists, .notPermitted],
            "NameRequest": [.notFound, .notDirectory, .isDirectory, .notEmpty],
            "RenameRequest": [
                .notFound, .notDirectory, .isDirectory, .notEmpty, .exists, .invalidArgument,
            ],
            "SetAttributesRequest": [.notFound, .isDirectory, .invalidArgument, .fileTooLarge],
            "CommitWriteRequest": [.notFound, .invalidArgument],
            "SetExtendedAttributeRequest": [
                .notFound, .exists, .noData, .invalidArgument, .accessDenied, .notSupported,
            ],
            "ExtendedAttributeRequest": [.notFound, .noData],
        ]
        for (request, errors) in expected {
            for outcome in ["ok"] + errors.map({ "\($0)" }) {
                if !outcomes.contains("\(request) \(outcome)") {
                    Issue.record("the run never met \(request) \(outcome)")
                }
            }
        }
    }

    private mutating func one() throws {
        switch Int.random(in: 0..<120, using: &random) {
        case 0..<30: try create()
        case 30..<38: try link()
        case 38..<50: try remove(isDirectory: false)
        case 50..<57: try remove(isDirectory: true)
        case 57..<80: try rename()
        case 80..<88: try setAttributes()
        case 88..<93: try commitWrite()
        case 93..<96: try reclaimOrphan()
        case 96..<112: try setExtendedAttribute()
        case 112..<115: try removeExtendedAttribute()
        default: try lookup()
        }
    }

    private mutating func create() throws {
        var request = CreateRequest()
        request.parent = directory()
        request.name = name()
        let kinds: [FileKind] = [.regular, .regular, .directory, .directory, .directory, .symlink, .fifo, .blockDevice]
        let kind = kinds[Int.random(in: 0..<kinds.count, using: &random)]
        request.mode = kind.rawValue | UInt32.random(in: 0...0o7777, using: &random)
        request.umask = UInt32.random(in: 0...0o777, using: &random)
        request.uid = UInt32.random(in: 0..<5, using: &random)
        request.gid = UInt32.random(in: 0..<5, using: &random)
        request.device = kind == .blockDevice ? 77 : 0
        request.opensForWriting = kind == .regular && Bool.random(using: &random)
        if kind == .symlink { request.target = Array("to".utf8) }
        let reply = result { () throws(MetadataError) in try shoal.run(CreateNode(request)) }
        model.now = shoal.now
        let made = (try? reply.get())?.attributes
        let expected = result { () throws(FileError) in
            try model.create(
                request, chunkBytesLog2: Geometry.chunkBytesLog2Default, inode: made?.inode ?? InodeID(0),
                data: made?.data ?? .none)
        }
        compare(reply.map(\.attributes), expected.map(\.attributes), request)
        if let made {
            #expect(!inodes.contains(made.inode))
            inodes.append(made.inode)
            #expect(try reply.get().parent == model.node(request.parent).attributes)
        }
        try compareDirectory(request.parent)
    }

    private mutating func link() throws {
        let request = LinkRequest(caller: Caller(), inode: inode(), parent: directory(), name: name())
        let reply = result { () throws(MetadataError) in try shoal.run(MakeLink(request)) }
        model.now = shoal.now
        let expected = result { () throws(FileError) in try model.link(request.inode, request.parent, request.name) }
        compare(reply.map(\.attributes), expected.map(\.attributes), request)
        try compareDirectory(request.parent)
    }

    private mutating func remove(isDirectory: Bool) throws {
        let request = NameRequest(caller: Caller(), parent: directory(), name: name())
        useSome()
        let reply = result { () throws(MetadataError) in
            isDirectory ? try shoal.run(RemoveDirectory(request)) : try shoal.run(Unlink(request))
        }
        model.now = shoal.now
        let expected = result { () throws(FileError) in
            try model.remove(request.parent, request.name, isDirectory: isDirectory)
        }
        compare(reply.map(\.removed), expected, request)
        compareOrphan(reply)
        try compareDirectory(request.parent)
    }

    private mutating func rename() throws {
        var request = RenameRequest()
        request.parent = directory()
        request.name = name()
        request.newParent = Bool.random(using: &random) ? request.parent : directory()
        request.newName = name()
        let rules: [RenameRequest.Rule] = [.replace, .replace, .replace, .noReplace, .exchange]
        request.rule = rules[Int.random(in: 0..<rules.count, using: &random)]
        useSome()
        let reply = result { () throws(MetadataError) in try shoal.run(Rename(request)) }
        model.now = shoal.now
        let expected = result { () throws(FileError) in try model.rename(request) }
        compare(reply.map(\.moved), expected.map(\.moved.attributes.inode), request)
        compare(reply.map(\.removed), expected.map { $0.replaced?.attributes ?? FileAttributes() }, request)
        compareOrphan(reply)
        try compareDirectory(request.parent)
        try compareDirectory(request.newParent)
    }

    private mutating func setAttributes() throws {
        var change = AttributeChange()
        if Bool.random(using: &random) { change.permissions = UInt32.random(in: 0...0o7777, using: &random) }
        if Bool.random(using: &random) { change.uid = UInt32.random(in: 0..<5, using: &random) }
        if Bool.random(using: &random) { change.gid = UInt32.random(in: 0..<5, using: &random) }
        if Bool.random(using: &random) { change.accessTime = Timestamp(seconds: 5, nanoseconds: 6) }
        if Bool.random(using: &random) { change.modifyTime = Timestamp(seconds: -7, nanoseconds: 8) }
        if Bool.random(using: &random) {
            let sizes: [UInt64] = [0, 0, 1, 4 << 20, (4 << 20) + 1, 1 << 54, (1 << 54) + 1]
            change.size = sizes[Int.random(in: 0..<sizes.count, using: &random)]
        }
        let request = SetAttributesRequest(caller: Caller(), inode: inode(), change: change)
        let reply = result { () throws(MetadataError) in try shoal.run(SetAttributes(request)) }
        model.now = shoal.now
        let expected = result { () throws(FileError) in try model.set(request.inode, change) }
        compare(reply.map(\.attributes), expected.map(\.attributes), request)
    }

    private mutating func commitWrite() throws {
        var request = CommitWriteRequest()
        request.inode = inode()
        request.size = UInt64.random(in: 0..<(20 << 20), using: &random)
        request.reservedSize = UInt64.random(in: 0..<(40 << 20), using: &random)
        request.modifyTime = Timestamp(seconds: 3)
        request.changeTime = Timestamp(seconds: 4)
        let reply = result { () throws(MetadataError) in try shoal.run(CommitWrite(request)) }
        let fresh = (try? reply.get())?.attributes.data ?? .none
        let expected = result { () throws(FileError) in try model.commitWrite(request, fresh: fresh) }
        compare(reply.map(\.attributes), expected.map(\.attributes), request)
    }

    private mutating func reclaimOrphan() throws {
        let inode = model.orphans.min() ?? inode()
        let done = try shoal.commit { try $0.reclaimOrphan(inode) }
        #expect(done == model.reclaimOrphan(inode))
    }

    private mutating func lookup() throws {
        let request = NameRequest(caller: Caller(), parent: directory(), name: name())
        let reply = result { () throws(MetadataError) in try shoal.run(Lookup(request)) }
        let expected = result { () throws(FileError) in try model.directory(request.parent).child(request.name) }
        compare(reply.map(\.found?.attributes), expected.map { $0?.attributes }, request)
    }

    /// Mostly a living directory; sometimes anything that ever was.
    private mutating func directory() -> InodeID {
        pick(otherwise: 12) { $0?.isDirectory == true }
    }

    /// Mostly alive, often the root.
    mutating func inode() -> InodeID {
        Int.random(in: 0..<10, using: &random) == 0 ? .root : pick(otherwise: 6) { $0 != nil }
    }

    /// A recent inode for which the condition holds; once in `rarely` times, or if none is found, any that ever was.
    private mutating func pick(otherwise rarely: Int, _ holds: (NamespaceModel.Node?) -> Bool) -> InodeID {
        let recent = max(0, inodes.count - 400)
        if Int.random(in: 0..<rarely, using: &random) != 0 {
            for _ in 0..<60 {
                let inode = inodes[Int.random(in: recent..<inodes.count, using: &random)]
                if holds(model.nodes[inode]) { return inode }
            }
        }
        return inodes[Int.random(in: 0..<inodes.count, using: &random)]
    }

    private mutating func name() -> FileName { names[Int.random(in: 0..<names.count, using: &random)] }

    private mutating func useSome() {
        shoal.inUse = inodes.suffix(300).filter { $0.rawValue % 3 == random.next() % 3 }
        model.inUse = Set(shoal.inUse)
    }

    mutating func compare<Value: Equatable>(
        _ got: Result<Value, MetadataError>, _ expected: Result<Value, FileError>, _ request: some WireMessage
    ) {
        switch expected {
        case .success: outcomes.insert("\(type(of: request)) ok")
        case .failure(let error): outcomes.insert("\(type(of: request)) \(error)")
        }
        let expected = expected.mapError { MetadataError.file($0) }
        if got != expected { Issue.record("\(request): got \(got), expected \(expected)") }
    }

    private func compareOrphan(_ reply: Result<RemovalReply, MetadataError>) {
        guard case .success(let reply) = reply else { return }
        #expect(reply.isOrphan == model.orphans.contains(reply.removed.inode))
    }

    private func compareDirectory(_ inode: InodeID) throws {
        guard let node = model.nodes[inode], node.isDirectory else { return }
        let page = try shoal.page(inode, withAttributes: true)
        #expect(page.isEnd)
        #expect(page.entries.map(\.name) == node.entries.map(\.name))
        #expect(page.entries.map(\.attributes) == node.entries.map(\.node.attributes))
        #expect(page.entries.allSatisfy { $0.kind == $0.attributes?.kind })
        #expect(page.parent == node.parent?.attributes.inode ?? .root)
        #expect(try shoal.attributes(inode) == node.attributes)
    }

    private func compareAll() throws {
        try shoal.namespace.checkInvariants()
        #expect(shoal.namespace.inodeCount == model.nodes.count)
        for (inode, node) in model.nodes {
            try compareExtendedAttributes(inode)
            if node.isDirectory {
                try compareDirectory(inode)
            } else {
                #expect(try shoal.attributes(inode) == node.attributes)
            }
        }
        #expect(try Set(shoal.orphans()) == model.orphans)
        let queue = try shoal.reclaimQueue().map { ($0.data, $0.chunkCount) }
        #expect(Dictionary(uniqueKeysWithValues: queue) == model.reclaim)
    }

    func result<Value, Failure: Error>(_ body: () throws(Failure) -> Value) -> Result<Value, Failure> {
        do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
}
