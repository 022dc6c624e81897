import ShoalSimulation
import Glibc

/// What a chunk may read as: the stamps of its 512-byte sectors, now and in every state since it was last durable.
struct ChunkModel: CustomStringConvertible {
    var description: String { "\(states.count) states" }
    static let sectorBytes = 512
    /// Sector stamps; 0 is a hole. Empty: no chunk.
    typealias State = [UInt64]
    private(set) var current: State = []
    /// States that a loss of power may leave traces of, the durable one first.
    private(set) var states: [State] = [[]]

    /// A change is tried: after a loss of power in the middle either state may be there.
    mutating func attempt(_ change: (inout State) -> Void) {
        change(&current)
        states.append(current)
    }

    mutating func settle() { states = [current] }

    mutating func adopt(_ state: State) {
        current = state
        states = [state]
    }

    static func write(offset: Int, count: Int, stamp: UInt64) -> (inout State) -> Void {
        { state in
            let range = offset / sectorBytes..<(offset + count) / sectorBytes
            if state.count < range.upperBound {
                state.append(contentsOf: repeatElement(0, count: range.upperBound - state.count))
            }
            for sector in range { state[sector] = stamp }
        }
    }

    static func truncate(_ length: Int) -> (inout State) -> Void {
        { state in if state.count > length / sectorBytes { state.removeLast(state.count - length / sectorBytes) } }
    }

    static func punch(offset: Int, count: Int) -> (inout State) -> Void {
        { state in
            let range = offset / sectorBytes..<(offset + count) / sectorBytes
            if range.upperBound >= state.count { return truncate(offset)(&state) }
            for sector in range { state[sector] = 0 }
        }
    }

    /// nil if some sector is a mixture.
    static func stamps(of bytes: [UInt8]) -> State? {
        var state: State = []
        var isWhole = true
        bytes.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: sectorBytes) {
                let base = bytes.baseAddress! + start
                // A buffer that equals itself moved by 8 bytes repeats its first 8.
                if memcmp(base, base + 8, sectorBytes - 8) != 0 { isWhole = false }
                state.append(base.load(as: UInt64.self))
            }
        }
        return isWhole ? state : nil
    }

    /// Whether each sector, and the length, is that of one of the states.
    func allows(_ found: State) -> Bool {
        guard states.contains(where: { $0.count == found.count }) else { return false }
        let longest = max(found.count, states.map(\.count).max() ?? 0)
        return (0..<longest).allSatisfy { sector in
            let stamp = sector < found.count ? found[sector] : 0
            return states.contains { (sector < $0.count ? $0[sector] : 0) == stamp }
                || (sector < found.count && stamp == 0 && isNew)
        }
    }

    /// Never durable: any of it may be a hole.
    private var isNew: Bool { states[0].isEmpty }
}
