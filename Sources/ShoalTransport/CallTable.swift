import ShoalRPC
import ShoalTypes

/// The calls of one peer that wait for a reply, in numbered slots.
///
/// A request ID is the slot's index in the low 32 bits and the number of its use in the high 32, so that a reply that
/// comes after its deadline finds nothing, also when the slot has been used again.
struct CallTable {
    typealias Completion = (Reply) -> Void

    private struct Slot {
        var completion: Completion?
        var deadline: MonotonicInstant
        var use: UInt32
    }
    private var slots: [Slot] = []
    private var free: [UInt32] = []
    private(set) var count = 0
    /// No open call's deadline is before this.
    private var earliest = MonotonicInstant(.max)

    /// Returns the request ID.
    mutating func add(deadline: MonotonicInstant, completion: @escaping Completion) -> UInt64 {
        count += 1
        if deadline < earliest { earliest = deadline }
        if let index = free.popLast() {
            let slot = Int(index)
            slots[slot].use &+= 1
            slots[slot].deadline = deadline
            slots[slot].completion = completion
            return UInt64(slots[slot].use) << 32 | UInt64(index)
        }
        slots.append(Slot(completion: completion, deadline: deadline, use: 0))
        return UInt64(slots.count - 1)
    }

    func isOpen(_ id: UInt64) -> Bool {
        let index = Int(id & 0xFFFF_FFFF)
        return index < slots.count && slots[index].use == UInt32(id >> 32) && slots[index].completion != nil
    }

    /// Ends a call. Nil if it has ended before, or never was.
    mutating func take(_ id: UInt64) -> Completion? {
        guard isOpen(id) else { return nil }
        return end(Int(id & 0xFFFF_FFFF))
    }

    /// Ends the calls whose deadline is not after `now`, in order of their slots.
    mutating func takeExpired(now: MonotonicInstant) -> [Completion] {
        guard count > 0, earliest <= now else { return [] }
        var ended: [Completion] = []
        earliest = MonotonicInstant(.max)
        for index in slots.indices where slots[index].completion != nil {
            if slots[index].deadline <= now {
                if let completion = end(index) { ended.append(completion) }
            } else if slots[index].deadline < earliest {
                earliest = slots[index].deadline
            }
        }
        return ended
    }

    /// Ends every call.
    mutating func takeAll() -> [Completion] {
        guard count > 0 else { return [] }
        earliest = MonotonicInstant(.max)
        return slots.indices.compactMap { end($0) }
    }

    private mutating func end(_ index: Int) -> Completion? {
        guard let completion = slots[index].completion else { return nil }
        slots[index].completion = nil
        free.append(UInt32(index))
        count -= 1
        return completion
    }
}
