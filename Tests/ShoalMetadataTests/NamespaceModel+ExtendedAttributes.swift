import ShoalTypes
import ShoalWire

/// A POSIX ACL as lines of (tag, permissions, id), and the kernel's functions on it as fs/posix_acl.c has them.
struct ModelList: Equatable {
    typealias Line = (tag: UInt16, permissions: UInt16, id: UInt32)
    var lines: [Line]

    static func == (lhs: ModelList, rhs: ModelList) -> Bool { lhs.bytes == rhs.bytes }

    init(_ lines: [Line]) { self.lines = lines }
    init(bytes: [UInt8]) {
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        lines = stride(from: 4, to: bytes.count, by: 8).map {
            (UInt16(number($0, 2)), UInt16(number($0 + 2, 2)), UInt32(number($0 + 4, 4)))
        }
    }

    var bytes: [UInt8] {
        var result: [UInt8] = [2, 0, 0, 0]
        for line in lines {
            for shift in [0, 8] { result.append(UInt8(line.tag >> shift & 0xFF)) }
            for shift in [0, 8] { result.append(UInt8(line.permissions >> shift & 0xFF)) }
            for shift in [0, 8, 16, 24] { result.append(UInt8(line.id >> shift & 0xFF)) }
        }
        return result
    }

    /// posix_acl_valid(): a state machine over the tags.
    var isValid: Bool {
        var state = 1
        var needsMask = false
        for line in lines {
            if line.permissions & ~7 != 0 { return false }
            switch (line.tag, state) {
            case (1, 1): state = 2
            case (2, 2): needsMask = true
            case (4, 2): state = 8
            case (8, 8): needsMask = true
            case (16, 8): state = 32
            case (32, 32): state = 0
            case (32, 8) where !needsMask: state = 0
            default: return false
            }
        }
        return state == 0
    }

    /// posix_acl_equiv_mode(): the mode, and whether it says it all.
    var equivalent: (mode: UInt32, isExact: Bool) {
        var mode: UInt32 = 0
        var isExact = true
        for line in lines {
            let bits = UInt32(line.permissions)
            switch line.tag {
            case 1: mode |= bits << 6
            case 4: mode |= bits << 3
            case 32: mode |= bits
            case 16:
                mode = mode & ~0o70 | bits << 3
                isExact = false
            default: isExact = false
            }
        }
        return (mode, isExact)
    }

    /// __posix_acl_chmod_masq()
    mutating func chmod(_ mode: UInt32) {
        let mask = lines.firstIndex { $0.tag == 16 }
        for index in lines.indices {
            switch lines[index].tag {
            case 1: lines[index].permissions = UInt16(mode >> 6 & 7)
            case 4 where mask == nil: lines[index].permissions = UInt16(mode >> 3 & 7)
            case 16: lines[index].permissions = UInt16(mode >> 3 & 7)
            case 32: lines[index].permissions = UInt16(mode & 7)
            default: break
            }
        }
    }

    /// posix_acl_create_masq()
    mutating func create(_ mode: inout UInt32) {
        let group = lines.firstIndex { $0.tag == 16 } ?? lines.firstIndex { $0.tag == 4 }
        for index in lines.indices {
            let shift: UInt32
            switch lines[index].tag {
            case 1: shift = 6
            case 32: shift = 0
            default:
                guard index == group else { continue }
                shift = 3
            }
            lines[index].permissions &= UInt16(mode >> shift & 7)
            mode &= UInt32(lines[index].permissions) << shift | ~(7 << shift)
        }
    }
}

extension NamespaceModel.Node {
    func set(_ name: ExtendedAttributeName, _ value: [UInt8]?) {
        extended[name] = value
        let names = extended.keys.reduce(0) { $0 + $1.bytes.count + 1 }
        let values = extended.values.reduce(0) { $0 + $1.count }
        attributes.extendedAttributes =
            ExtendedAttributeSummary(nameBytes: UInt32(names), valueBytes: UInt32(values)) ?? .none
    }

    func inherit(from parent: NamespaceModel.Node, umask: UInt32) {
        guard attributes.kind != .symlink else { return }
        guard let bytes = parent.extended[.defaultList] else {
            attributes.mode &= ~(umask & 0o777)
            return
        }
        var list = ModelList(bytes: bytes)
        var mode = attributes.mode & 0o777
        list.create(&mode)
        attributes.mode = attributes.mode / 0o1000 * 0o1000 + mode
        if !list.equivalent.isExact { set(.accessList, list.bytes) }
        if isDirectory { set(.defaultList, bytes) }
    }
}

extension NamespaceModel {
    func setExtendedAttribute(_ request: SetExtendedAttributeRequest) throws(FileError) -> Node {
        let node = try node(request.inode)
        if request.rule.contains(.create), node.extended[request.name] != nil { throw .exists }
        if request.rule.contains(.replace), node.extended[request.name] == nil { throw .noData }
        var value: [UInt8]? = request.value
        var mode = node.attributes.mode
        if request.name.isAccessControlList {
            if node.attributes.kind == .symlink { throw .notSupported }
            if request.name == .defaultList, !node.isDirectory { throw .accessDenied }
            if request.value.count < 12 { throw .invalidArgument }
            let list = ModelList(bytes: request.value)
            guard list.isValid else { throw .invalidArgument }
            if request.name == .accessList {
                mode = mode / 0o1000 * 0o1000 + list.equivalent.mode
                if request.rule.contains(.clearsSetGroupID) { mode &= ~0o2000 }
                if list.equivalent.isExact { value = nil }
            }
        }
        // As on ext4: what is there already is no change.
        if node.extended[request.name] == value, node.attributes.mode == mode { return node }
        node.attributes.mode = mode
        node.set(request.name, value)
        node.attributes.changeTime = now
        return node
    }

    func removeExtendedAttribute(_ request: ExtendedAttributeRequest) throws(FileError) -> Node {
        let node = try node(request.inode)
        guard node.extended[request.name] != nil else {
            if request.name.isAccessControlList { return node }
            throw .noData
        }
        node.set(request.name, nil)
        node.attributes.changeTime = now
        return node
    }
}
