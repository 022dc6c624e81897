import CISAL

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by ISA-L.
package enum CRC32C {
    /// Checksum of `bytes`; continues from `previous`, the checksum of what came before.
    @inline(__always)
    package static func checksum(_ bytes: UnsafeRawBufferPointer, previous: UInt32 = 0) -> UInt32 {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return previous }
        // ISA-L reads the buffer only; its signature lacks the const.
        let pointer = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: UInt8.self))
        return ~crc32_iscsi(pointer, CInt(bytes.count), ~previous)
    }

    /// One checksum per block of `blockBytes`; `bytes.count` must be a multiple of it.
    package static func blocks(of bytes: UnsafeRawBufferPointer, blockBytes: Int) -> [UInt32] {
        precondition(bytes.count % blockBytes == 0, "checksums cover whole blocks")
        return (0..<bytes.count / blockBytes).map { index in
            checksum(UnsafeRawBufferPointer(rebasing: bytes[index * blockBytes..<(index + 1) * blockBytes]))
        }
    }

    /// The index of the first block that does not match its checksum; nil if all do.
    package static func firstMismatch(
        in bytes: UnsafeRawBufferPointer, blockBytes: Int, checksums: some RandomAccessCollection<UInt32>
    ) -> Int? {
        guard bytes.count == checksums.count * blockBytes else { return 0 }
        for (index, expected) in checksums.enumerated() {
            let block = UnsafeRawBufferPointer(rebasing: bytes[index * blockBytes..<(index + 1) * blockBytes])
            if checksum(block) != expected { return index }
        }
        return nil
    }

    /// Checksum of a block of `count` zeros: what a hole reads as.
    package static func zeros(_ count: Int) -> UInt32 {
        [UInt8](repeating: 0, count: count).withUnsafeBytes { checksum($0) }
    }
}
