import ShoalTypes

/// What is known of the entries of a directory.
final class InodeNames {
    fileprivate var names = KnownNames()
    fileprivate var namesAreComplete = false
    fileprivate var listingCookie: UInt64 = 0
    fileprivate var kernelNames = KernelNames()
    fileprivate var kernelListing = KernelListing()
}

/// Entries of a directory: the inode, or nil for a name known to be absent.
struct KnownNames {
    /// Inode 0, which is no file, for absent names.
    private var table = NameTable<InodeID>()
    private static let absent = InodeID(0)

    var count: Int { table.count }
    var isEmpty: Bool { table.isEmpty }
    /// What they take in memory.
    var bytes: Int { table.bytes }

    subscript(name: FileName) -> InodeID?? {
        table[name].map { $0 == KnownNames.absent ? nil : $0 }
    }

    /// - Returns: Whether the name was known before.
    mutating func set(_ name: FileName, to inode: InodeID?) -> Bool {
        table.updateValue(inode ?? KnownNames.absent, forKey: name) != nil
    }

    /// - Returns: Whether the name was known before.
    mutating func remove(_ name: FileName) -> Bool { table.removeValue(forKey: name) != nil }
}

extension Inode {
    var names: KnownNames {
        _read { if let directory { yield directory.names } else { yield KnownNames() } }
        _modify { yield &madeDirectory.names }
    }
    /// Every entry is in `names`: what is not there does not exist.
    var namesAreComplete: Bool {
        get { directory?.namesAreComplete ?? false }
        set { if directory != nil || newValue { madeDirectory.namesAreComplete = newValue } }
    }
    /// Where a listing that started at the beginning under this lease has come to.
    var listingCookie: UInt64 {
        get { directory?.listingCookie ?? 0 }
        set { if directory != nil || newValue != 0 { madeDirectory.listingCookie = newValue } }
    }
    var kernelNames: KernelNames {
        _read { if let directory { yield directory.kernelNames } else { yield KernelNames() } }
        _modify { yield &madeDirectory.kernelNames }
    }
    var kernelListing: KernelListing {
        _read { if let directory { yield directory.kernelListing } else { yield KernelListing() } }
        _modify { yield &madeDirectory.kernelListing }
    }

    private var madeDirectory: InodeNames {
        if let directory { return directory }
        let made = InodeNames()
        directory = made
        return made
    }
}
