import CFuse3
import Glibc
import ShoalTypes

/// The answer to read. The bytes are copied to the reader before the call returns.
package struct FuseReadReply: Sendable {
    package let request: FuseRequest

    /// Fewer bytes than were asked for mean the end of the file.
    package func bytes(_ bytes: UnsafeRawBufferPointer) {
        _ = request.answer {
            fuse_reply_buf($0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }

    /// The same from several pieces, one after the other.
    package func gather(_ pieces: [UnsafeRawBufferPointer]) {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: pieces.count) { vectors in
            for (index, piece) in pieces.enumerated() {
                vectors.initializeElement(
                    at: index,
                    to: iovec(iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress), iov_len: piece.count))
            }
            _ = request.answer { fuse_reply_iov($0, vectors.baseAddress, CInt(vectors.count)) }
        }
    }

    package func error(_ error: FileError) { request.fail(error) }
}
