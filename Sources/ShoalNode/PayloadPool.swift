import Glibc
import ShoalTypes
import Synchronization

/// Memory for payloads on their way to a shard thread. Buffers are reused, because the first touch of fresh memory
/// costs more than the copy. Sizes are powers of two from a block to the largest request. From any thread.
package final class PayloadPool: Sendable {
    private struct Idle: @unchecked Sendable {  // the pointers are owned by whoever holds the mutex
        var buffers: [Int: [UnsafeMutableRawPointer]] = [:]
        var bytes = 0
    }
    private let idle = Mutex(Idle())
    private let idleBytesMax: Int
    private let lent = Atomic<Int>(0)

    package init(idleBytesMax: Int) { self.idleBytesMax = idleBytesMax }

    deinit {
        idle.withLock { idle in
            for pointer in idle.buffers.values.joined() { free(pointer) }
        }
    }

    /// Bytes in payloads that are alive.
    package var lentBytes: Int { lent.load(ordering: .relaxed) }

    /// A payload with a copy of `bytes`.
    package func copy(_ bytes: UnsafeRawBufferPointer) -> Payload {
        let payload = Payload(pool: self, pointer: take(bytes.count), byteCount: bytes.count)
        if let source = bytes.baseAddress { payload.pointer.copyMemory(from: source, byteCount: bytes.count) }
        return payload
    }

    private static func capacity(for byteCount: Int) -> Int {
        var capacity = Geometry.blockBytes
        while capacity < byteCount { capacity <<= 1 }
        return capacity
    }

    private func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let capacity = PayloadPool.capacity(for: byteCount)
        lent.add(capacity, ordering: .relaxed)
        let reused = idle.withLock { idle -> UInt in
            guard let pointer = idle.buffers[capacity]?.popLast() else { return 0 }
            idle.bytes -= capacity
            return UInt(bitPattern: pointer)
        }
        if let reused = UnsafeMutableRawPointer(bitPattern: reused) { return reused }
        guard let fresh = aligned_alloc(Geometry.blockBytes, capacity) else { preconditionFailure("out of memory") }
        return fresh
    }

    fileprivate func giveBack(_ pointer: UnsafeMutableRawPointer, byteCount: Int) {
        let capacity = PayloadPool.capacity(for: byteCount)
        lent.subtract(capacity, ordering: .relaxed)
        let address = UInt(bitPattern: pointer)
        let isKept = idle.withLock { idle in
            guard idle.bytes + capacity <= idleBytesMax, let pointer = UnsafeMutableRawPointer(bitPattern: address)
            else {
                return false
            }
            idle.buffers[capacity, default: []].append(pointer)
            idle.bytes += capacity
            return true
        }
        if !isKept { free(pointer) }
    }
}

/// Bytes that outlive the delivery of their request; given back to the pool when the last reference goes.
package final class Payload: @unchecked Sendable {  // written only before it is shared
    private let pool: PayloadPool
    fileprivate let pointer: UnsafeMutableRawPointer
    package let byteCount: Int

    fileprivate init(pool: PayloadPool, pointer: UnsafeMutableRawPointer, byteCount: Int) {
        self.pool = pool
        self.pointer = pointer
        self.byteCount = byteCount
    }

    deinit { pool.giveBack(pointer, byteCount: byteCount) }

    /// Valid while the payload is.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: byteCount) }
}
