import ArgumentParser
import Glibc
import Logging
import ShoalClient
import ShoalCluster
import ShoalMount
import ShoalTransport
import ShoalTypes

struct Mount: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Mount a cluster.",
        discussion: """
            Returns when the mount answers; a process in the background serves it from then on. Unmount with 'shoal umount', \
            umount or 'fusermount3 -u'. A signal (SIGTERM, SIGINT) unmounts too, and gives whoever has files open 10 seconds; everything \
            is written back. As root, all users may use the mount; permissions are checked as on a local disk.

            EXAMPLES
              shoal mount 127.0.0.1:7600 /mnt
              shoal mount 127.0.0.1:7600 /mnt --cache-size 1G --cache-policy lfu
              shoal mount 127.0.0.1:7600 /mnt -o ro,noatime --foreground
            """)

    @Argument(help: ArgumentHelp("The metadata server.", valueName: "host:port"))
    var metadata: HostPort

    @Argument(help: "An existing directory.")
    var mountpoint: String

    @Option(
        name: .customShort("o"),
        help: ArgumentHelp("Mount options, separated by commas; see mount.fuse3(8).", valueName: "options"))
    var options: [String] = []

    @Option(help: ArgumentHelp("Memory for file content, as 268435456 or 256M.", valueName: "bytes"))
    var cacheSize = ByteCount(ClientLimits.production.cacheBytesMax)

    @Option(help: "What the cache keeps: what was used last (lru), or often (lfu).")
    var cachePolicy = CachePolicy.lru

    @Option(help: ArgumentHelp("Files whose attributes are kept in memory, 400 bytes each.", valueName: "count"))
    var cacheInodes = ClientLimits.production.inodesMax

    @Flag(help: "Stay in the foreground and log to the terminal.")
    var foreground = false

    @Option(help: ArgumentHelp("Where the process in the background logs.", valueName: "file"))
    var logFile: String?

    @OptionGroup var ready: ReadyOptions
    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if cacheSize.count < 1 << 20 { throw ValidationError("--cache-size is at least 1M") }
        let inodes = 100...ClientLimits.inodesMaxMost
        if !inodes.contains(cacheInodes) {
            throw ValidationError("--cache-inodes is from \(inodes.lowerBound) to \(inodes.upperBound)")
        }
    }

    func run() throws {
        if foreground { try serve() } else { try startInBackground() }
    }

    private func serve() throws {
        let signals = TerminationSignals()
        let logger = logging.start("mount", default: .info)
        var service: MountService?
        try ready.reporting {
            let place = try Mountpoint(mountpoint)
            try place.checkFree()
            service = try MountService(
                metadata: metadata, mountpoint: place.path, options: mountOptions, logger: logger)
            return place.path
        }
        guard let service else { preconditionFailure("it was made, or an error thrown") }
        logger.info("mounted", metadata: ["mountpoint": "\(service.mountpoint)", "metadata": "\(metadata)"])
        watchForEnd(of: service, logger)
        signals.waitAndExit(logger, endsAtOnce: false) {
            do throws(MountError) { try service.unmount(isLazy: true) } catch { logger.error("\(error)") }
            do throws(MountError) {
                if try service.waitUntilEnded(within: Self.usersMayFinish) { return }
                // Files are open, or another mount namespace has the mount too.
                logger.warning("still in use: writing back and ending; what is open fails from now on")
                service.end()
                try service.waitUntilEnded()
            } catch {
                Failure.exit(with: error)
            }
        }
    }

    /// After a signal.
    private static let usersMayFinish = Interval.seconds(10)

    /// Somebody may unmount it without asking us.
    private func watchForEnd(of service: MountService, _ logger: Logger) {
        BlockingThread.run("mount end") {
            do throws(MountError) { try service.waitUntilEnded() } catch { Failure.exit(with: error) }
            logger.info("unmounted")
            TerminationSignals.end()
        }
    }

    private var mountOptions: MountOptions {
        var result = MountOptions()
        result.cacheBytes = cacheSize.count
        result.cachePolicy = cachePolicy
        result.inodesMax = cacheInodes
        for option in options.flatMap({ $0.split(separator: ",").map(String.init) }) {
            switch option {
            case "ro": result.isReadOnly = true
            case "rw": result.isReadOnly = false
            default: result.others.append(option)
            }
        }
        return result
    }

    private func startInBackground() throws {
        _ = logging.start("mount", default: .warning)
        let place = try Mountpoint(mountpoint)
        try place.checkFree()
        let log = try logFile ?? BackgroundLog.path(for: "mount" + place.path.replacing("/", with: "-"))
        var arguments = ["mount", "\(metadata)", place.path, "--foreground"]
        for option in options { arguments += ["-o", option] }
        arguments += ["--cache-size", "\(cacheSize.count)", "--cache-policy", cachePolicy.rawValue]
        arguments += ["--cache-inodes", "\(cacheInodes)"]
        arguments += ["--log-level", "\(logging.logLevel ?? .info)"]
        let process = BackgroundProcess(name: "the mount of \(place.path)", arguments: arguments, log: log)
        try process.start().wait()
    }
}

extension CachePolicy: ExpressibleByArgument {}
