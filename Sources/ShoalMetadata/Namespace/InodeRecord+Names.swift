import ShoalTypes

/// What happens to a directory's own record when it gains or loses a name.
extension InodeRecord {
    mutating func gainedName(of child: InodeRecord, at now: Timestamp) {
        entryCount += 1
        if child.isDirectory { attributes.linkCount += 1 }
        touched(at: now)
    }

    mutating func lostName(of child: InodeRecord, at now: Timestamp) {
        precondition(entryCount > 0, "a name went from an empty directory")
        entryCount -= 1
        if child.isDirectory { attributes.linkCount -= 1 }
        touched(at: now)
    }

    mutating func touched(at now: Timestamp) {
        attributes.modifyTime = now
        attributes.changeTime = now
    }
}
