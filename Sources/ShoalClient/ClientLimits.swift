import ShoalTypes

/// Every bound of a client in one place.
package struct ClientLimits: Sendable {
    /// Bytes of file content kept in memory, clean and dirty.
    package var cacheBytesMax = 256 << 20
    /// Bytes not yet on the nodes; past it a writer waits. A quarter of the cache at most, so that readers keep some.
    package var dirtyBytesMax = 64 << 20
    /// Bytes on their way to nodes: enough to keep the disks busy, little enough for a node's queues.
    package var flushBytesInFlightMax = 16 << 20
    /// Bytes asked for ahead of the reader: the window starts here and doubles while it pays.
    package var readAheadBytesMin = 512 << 10
    package var readAheadBytesMax = 8 << 20
    /// Inodes whose attributes and lease are remembered; the coldest are given back past it.
    package var inodesMax = 100_000
    /// Fewer than the server begins to ask back (`CoordinatorLimits.leasesPerSessionMax`), with what comes while leases go back.
    package static let inodesMaxMost = 160_000
    /// Cached names over all directories.
    package var namesMax = 100_000
    /// Cached extended attributes over all inodes.
    package var extendedAttributeBytesMax = 8 << 20
    /// One attempt of a chunk request: a node that is silent for so long is reported.
    package var nodeAttemptDeadline = Interval.seconds(4)
    /// One attempt of a copy of a chunk between nodes, which moves up to 64 MiB and may try several sources.
    package var copyAttemptDeadline = Interval.seconds(12)
    /// A chunk request with all its attempts; past it the call fails with EIO.
    package var nodeDeadline = Interval.seconds(30)
    /// One attempt of a metadata request. The server may wait two session terms for a silent mount's leases.
    package var metadataAttemptDeadline = Interval.seconds(25)
    package var metadataDeadline = Interval.seconds(40)
    /// The pause before a refused or failed request is tried again.
    package var retryPause = Interval.milliseconds(20)
    /// Dirty blocks that nobody syncs leave after this long.
    package var writeBehindDelay = Interval.milliseconds(300)
    /// So much earlier they leave with others'.
    package var writeBehindGrain = Interval.milliseconds(50)
    /// Files that were written, written back and closed within so long are left to readers in one message.
    package var finishedFilesDelay = Interval.milliseconds(50)
    /// After a failed write-back, close waits for the nodes for this long, so that whoever goes on writing is told.
    package var closeWaitsAfterFailure = Interval.seconds(60)
    /// Messages with sizes and times that are under way at once; what comes meanwhile travels together in the next.
    package var commitMessagesMax = 2
    /// A recall waits no longer than this for the kernel's pages of mapped files.
    package var pageDropDeadline = Interval.milliseconds(1000)
    /// Kernels are told to drop pages of so many inodes at once.
    package var pageDropsMax = 16
    /// A file that has changed so short a time ago is not given to the kernel to keep pages of: another change is likely.
    package var pageCalm = Interval.seconds(1)
    /// So long the kernel may take to take an answer in; it needs microseconds, if the program is not kept from a processor.
    /// A recall waits for that where somebody was told that a file has become shorter.
    package var sizeTakenIn = Interval.milliseconds(2)
    /// How often the kernel is made to grow a file that grows on, before an answer about its size.
    package var growthsMax = 3
    /// After this the kernel is taken to wait for a page that it is reading itself; it needs microseconds else.
    package var pageDropPatience = Interval.milliseconds(5)
    /// Attributes of an open file that changed so short a time ago are not given to the kernel: to take them back, on another
    /// thread, costs more than to be asked for them again a few times.
    package var attributeCalm = Interval.milliseconds(20)
    /// Inodes whose attributes the kernel is told to forget at once.
    package var attributeDropsMax = 64
    /// How long a directory was calm of which nothing is known, as others have not changed it while it was cached here.
    package var nameCalmAtFirst = Interval.seconds(4)
    /// A name is shown for a quarter of the time that its directory has been calm, counted up to this.
    package var nameCalmMax = Interval.seconds(24)
    /// The same for absent names, which mounts that share a lock file create at the same time.
    package var absentNameCalmMax = Interval.seconds(4)
    /// Names are not given to the kernel for less.
    package var nameValidityMin = Interval.milliseconds(100)
    /// The kernel counts from when it takes an answer in.
    package var nameValidityMargin = Interval.milliseconds(500)
    /// Who has not changed a file for so long has finished with it, as far as readers are concerned.
    package var writerIdle = Interval.seconds(1)
    /// Beyond the written end, so that a growing file asks for a reservation rarely.
    package var reservationStepBytes: UInt64 = 256 << 20
    /// A file that the kernel was told of is not gone for it for so long, whoever unlinks it.
    package var openGrace = Interval.seconds(1)
    /// Inodes whose last attributes are kept after this mount took their last name, until the kernel forgets them.
    package var goneInodesMax = 10_000
    /// Reading changes access times (relatime).
    package var keepsAccessTimes = true
    package var accessTimeDelay = Interval.seconds(1)
    package var cachePolicy = CachePolicy.lru
    /// Simulations only: shows that they find it.
    package var plantedFault: PlantedFault?

    package init() {}
    package static let production = ClientLimits()
}

/// Which clean blocks leave the cache first.
package enum CachePolicy: String, Sendable, CaseIterable {
    /// The least recently used.
    case lru
    /// The least often used, of those the least recently: four segments, a use moves a block up one, if it is not the first
    /// nor goes on where the last one ended, so that a scan cannot push out what is used again and again (S4LRU: Huang et
    /// al., "An Analysis of Facebook Photo Caching", SOSP 2013; decision 27).
    case lfu
}

/// Faults that can be planted, so that it can be seen whether a test finds them. Nothing outside simulations sets one.
package enum PlantedFault: String, Sendable, CaseIterable {
    /// A lease is given up before what was written under it is on the nodes.
    case unflushedRecall = "unflushed-recall"
    /// A lease is relied on past its end.
    case expiredLease = "expired-lease"
    /// fsync does not ask the nodes.
    case earlySync = "early-sync"
}
