import Synchronization

/// Decides whether the disk has room. Asks the filesystem after every `spacePollBytes` written, and whenever the last
/// answer would refuse a write.
final class SpaceGauge: Sendable {
    private struct State {
        var space = DiskSpace(bytesTotal: 0, bytesFree: 0)
        var spent: UInt64 = .max
    }
    private let state = Mutex(State())
    private let disk: any Disk
    private let directory: String
    private let limits: ChunkStoreLimits

    init(disk: any Disk, directory: String, limits: ChunkStoreLimits) {
        self.disk = disk
        self.directory = directory
        self.limits = limits
    }

    private func reserve(_ space: DiskSpace) -> UInt64 {
        max(space.bytesTotal / limits.reserveDivisor, limits.reserveBytesMin)
    }

    /// - Throws: `.noSpace` if writing `bytes` would go below the reserve; of a repair, below a quarter of it.
    func admit(bytes: Int, isRepair: Bool) throws(ChunkStoreError) {
        try state.withLock { (state) throws(ChunkStoreError) in
            if state.spent >= limits.spacePollBytes || !fits(state, bytes: bytes, isRepair: isRepair) {
                try poll(&state)
                guard fits(state, bytes: bytes, isRepair: isRepair) else { throw .noSpace }
            }
            state.spent += UInt64(bytes)
        }
    }

    private func fits(_ state: State, bytes: Int, isRepair: Bool) -> Bool {
        let reserve = reserve(state.space)
        let needed = state.spent.addingReportingOverflow(UInt64(bytes) + (isRepair ? reserve / 4 : reserve))
        return !needed.overflow && needed.partialValue <= state.space.bytesFree
    }

    private func poll(_ state: inout State) throws(ChunkStoreError) {
        do throws(DiskError) { state.space = try disk.space(directory) } catch { throw ChunkStoreError(error) }
        state.spent = 0
    }

    /// The whole disk, and what clients may still write.
    func usage() throws(ChunkStoreError) -> DiskSpace {
        try state.withLock { (state) throws(ChunkStoreError) in
            try poll(&state)
            let reserve = reserve(state.space)
            return DiskSpace(
                bytesTotal: state.space.bytesTotal,
                bytesFree: state.space.bytesFree > reserve ? state.space.bytesFree - reserve : 0)
        }
    }
}
