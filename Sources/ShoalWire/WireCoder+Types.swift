import ShoalTypes

/// How the shared types travel and are stored: the metadata keys' values use the same encoding.
extension WireCoder {
    package mutating func timestamp(_ value: inout Timestamp) {
        integer(&value.seconds)
        integer(&value.nanoseconds)
        if value.nanoseconds >= 1_000_000_000 { fail() }
    }

    package mutating func attributes(_ value: inout FileAttributes) {
        number(&value.inode)
        integer(&value.mode)
        integer(&value.linkCount)
        integer(&value.uid)
        integer(&value.gid)
        integer(&value.device)
        integer(&value.size)
        timestamp(&value.accessTime)
        timestamp(&value.modifyTime)
        timestamp(&value.changeTime)
        number(&value.data)
        integer(&value.chunkBytesLog2)
        integer(&value.reservedSize)
        allocatedBytes(&value.allocatedBytes)
        extendedAttributes(&value.extendedAttributes)
        boolean(&value.countsInQuota)
        if isDecoding {
            // Inode 0 stands for "no attributes here".
            if value.inode.rawValue != 0, FileKind(mode: value.mode) == nil { fail() }
            if !Geometry.chunkBytesLog2Range.contains(value.chunkBytesLog2) { fail() }
            if value.size > Geometry.fileBytesMax || value.reservedSize > Geometry.fileBytesMax { fail() }
        }
    }

    /// What a file takes: no more than the longest file.
    package mutating func allocatedBytes(_ value: inout UInt64) {
        integer(&value)
        if isDecoding, value > Geometry.fileBytesMax { fail() }
    }

    package mutating func name(_ value: inout FileName) {
        var raw = value.bytes
        bytes(&raw, max: FileName.bytesMax)
        guard isDecoding, !failed else { return }
        if let decoded = try? FileName(raw) { value = decoded } else { fail() }
    }

    package mutating func extendedAttributeName(_ value: inout ExtendedAttributeName) {
        var raw = value.bytes
        bytes(&raw, max: ExtendedAttributeLimits.nameBytesMax)
        guard isDecoding, !failed else { return }
        if let decoded = try? ExtendedAttributeName(raw) { value = decoded } else { fail() }
    }

    /// One byte where there are none.
    package mutating func extendedAttributes(_ value: inout ExtendedAttributeSummary) {
        var isPresent = !value.isEmpty
        boolean(&isPresent)
        guard isPresent, !failed else { return value = .none }
        var nameBytes = value.nameBytes
        var valueBytes = value.valueBytes
        integer(&nameBytes)
        integer(&valueBytes)
        guard isDecoding else { return }
        if let decoded = ExtendedAttributeSummary(nameBytes: nameBytes, valueBytes: valueBytes), !decoded.isEmpty {
            value = decoded
        } else {
            fail()
        }
    }

    package mutating func chunk(_ value: inout ChunkID) {
        var data = value.data
        var index = value.index
        number(&data)
        integer(&index)
        if isDecoding { value = ChunkID(data: data, index: index) }
    }

    package mutating func grant(_ value: inout Grant) {
        enumeration(&value.mode)
        number(&value.sequence)
        number(&value.minimumEpoch)
        boolean(&value.tailUnclean)
        if value.mode == .part { extent(&value.extent) }
    }

    package mutating func extent(_ value: inout LeaseExtent) {
        integer(&value.first)
        integer(&value.end)
    }

    package mutating func amount(_ value: inout QuotaAmount) {
        integer(&value.bytes)
        integer(&value.inodes)
    }

    package mutating func clusterMap(_ value: inout ClusterMap) {
        number(&value.epoch)
        integer(&value.replicaCount)
        list(&value.nodes, max: 4096, minimumBytes: 21, blank: NodeDescription.blank) { coder, node in
            coder.number(&node.id)
            coder.string(&node.address, max: 512)
            coder.string(&node.zone, max: 255)
            coder.double(&node.weight)
            coder.boolean(&node.isUp)
        }
        list(&value.partitions, max: 65_535, minimumBytes: 12, blank: PartitionAssignment()) { coder, partition in
            coder.list(&partition.replicas, max: 16, minimumBytes: 5, blank: Replica(node: NodeID(0), state: .stale)) {
                coder, replica in
                coder.number(&replica.node)
                coder.enumeration(&replica.state)
            }
            coder.number(&partition.changedAt)
        }
        list(&value.fenced, max: ClusterMap.fencedMax, minimumBytes: 8, blank: SessionID.none) { $0.number(&$1) }
    }
}

extension NodeDescription {
    package static let blank = NodeDescription(id: NodeID(0), address: "", zone: "", weight: 0, isUp: false)
}

extension FileName {
    /// A stand-in that decoding overwrites.
    package static let blank: FileName = {
        do { return try FileName([0x3F]) } catch { preconditionFailure("`?` is a name") }
    }()
}
