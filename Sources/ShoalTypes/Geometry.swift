/// Sizes that several parts must agree on.
package enum Geometry {
    /// Checksums cover blocks of this size, and chunks are read and written in whole blocks.
    package static let blockBytes = 4096
    package static let chunkBytesLog2Default: UInt8 = 22
    package static let chunkBytesLog2Range: ClosedRange<UInt8> = 17...26
    package static let partitionCountDefault = 1024
    /// The longest symlink target (symlink(7), PATH_MAX less the NUL).
    package static let symlinkBytesMax = 4095
    /// The longest file: 2^32 - 1 chunks of the default size, 16 PiB less 4 MiB.
    package static let fileBytesMax: UInt64 = (1 << 54) - (1 << 22)
    /// The most bytes one read or write request to a node carries.
    package static let requestBytesMax = 1 << 20
    package static let linkCountMax: UInt32 = 65_000
}
