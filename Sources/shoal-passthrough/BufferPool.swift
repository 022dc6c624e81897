import ShoalFUSE
import Synchronization

/// Page-aligned buffers of the largest request, reused: fresh memory costs more than the copy. As many as there are
/// threads at most.
final class BufferPool: Sendable {
    private let buffers = Mutex<[Buffer]>([])

    func with<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        let buffer = buffers.withLock { $0.popLast() } ?? Buffer()
        defer { buffers.withLock { $0.append(buffer) } }
        return body(buffer.bytes)
    }

    /// Unchecked: it belongs to whoever took it from the pool.
    private final class Buffer: @unchecked Sendable {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: FuseMountOptions.requestBytesMax, alignment: 4096)
        deinit { bytes.deallocate() }
    }
}
