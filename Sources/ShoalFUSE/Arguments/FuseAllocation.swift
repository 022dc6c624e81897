/// What fallocate(2) is to do: the FALLOC_FL_ bits. None of them: allocate, and extend the file.
package struct FuseAllocation: OptionSet, Hashable, Sendable {
    package let rawValue: CInt
    package init(rawValue: CInt) { self.rawValue = rawValue }
    package static let keepSize = FuseAllocation(rawValue: 0x01)
    package static let punchHole = FuseAllocation(rawValue: 0x02)
    package static let collapseRange = FuseAllocation(rawValue: 0x08)
    package static let zeroRange = FuseAllocation(rawValue: 0x10)
    package static let insertRange = FuseAllocation(rawValue: 0x20)
}

/// What lseek(2) looks for, by the number of its `whence`. The others are the kernel's own.
package enum FuseSeekTarget: CInt, Sendable {
    case data = 3
    case hole = 4
}
