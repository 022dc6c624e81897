import Glibc
import ShoalClient
import ShoalRPC
import ShoalTypes

/// Gives the memory of evicted blocks back to the kernel. Blocks come in sizes from 4 to 128 KiB; without this the allocator keeps the
/// gaps between them, and a mount that has seen small files and then large ones grows to twice its cache.
///
/// Lives on the loop of the client.
final class HeapTrimmer {
    private typealias Trim = @convention(c) (Int) -> CInt
    private static let interval = Interval.milliseconds(250)
    private static let freedBytesMin = 16 << 20

    private unowned let scheduler: any Scheduler
    private let client: Client
    private var freedBefore = 0
    private let trim: Trim?

    init(client: Client, scheduler: any Scheduler) {
        self.client = client
        self.scheduler = scheduler
        // malloc_trim(3); malloc.h is not in the Glibc module.
        trim = dlsym(nil, "malloc_trim").map { unsafeBitCast($0, to: Trim.self) }
    }

    func start() {
        scheduler.schedule(after: HeapTrimmer.interval) { [self] in
            if client.freedBytes - freedBefore >= HeapTrimmer.freedBytesMin {
                freedBefore = client.freedBytes
                _ = trim?(0)
            }
            start()
        }
    }
}
