import Dispatch
import Glibc
import Logging
import ShoalClient
import ShoalFUSE
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire

/// How a cluster is mounted.
package struct MountOptions: Sendable {
    /// Bytes of file content that the mount process keeps in memory.
    package var cacheBytes = ClientLimits.production.cacheBytesMax
    package var cachePolicy = CachePolicy.lru
    /// Inodes whose attributes and leases it keeps.
    package var inodesMax = ClientLimits.production.inodesMax
    package var isReadOnly = false
    /// Further options of mount.fuse3(8).
    package var others: [String] = []
    /// How long to wait for the metadata server at the start.
    package var deadline = Interval.seconds(10)
    package init() {}
}

/// Why a cluster could not be mounted. The description is one line for the user.
package enum MountError: Error, CustomStringConvertible {
    case unreachable(HostPort)
    case refused(HostPort, WireStatus)
    case fuse(FuseError)
    case unsaved(FileError)

    package var description: String {
        switch self {
        case .unreachable(let address):
            "no metadata server answers at \(address): is it running? (shoal status --meta \(address))"
        case .refused(let address, .wrongCluster): "the metadata server at \(address) belongs to another cluster"
        case .refused(let address, let status): "the metadata server at \(address) refused us: \(status)"
        case .fuse(let error): error.description
        case .unsaved(let error):
            "some writes could not be saved: \(String(cString: strerror(error.errno))) (see the log)"
        }
    }
}

/// A mount: one loop that owns /dev/fuse, the sockets and the client core.
package final class MountService: Sendable {
    private let loop: Loop
    private let client: LoopConfined<Client>
    private let session: FuseSession
    private let ended = DispatchSemaphore(value: 0)
    private let result: LoopConfined<Result<Void, FileError>?>
    /// `end` was called: the kernel still has the mount.
    private let isEnding = LoopConfined(false)
    private let reader: DescriptorReader
    private let logger: Logger

    /// Connects and mounts; the mount answers when this returns.
    package init(metadata: HostPort, mountpoint: String, options: MountOptions, logger: Logger) throws(MountError) {
        self.logger = logger
        loop = Loop(name: "mount")
        var limits = ClientLimits.production
        limits.cacheBytesMax = options.cacheBytes
        limits.dirtyBytesMax = min(limits.dirtyBytesMax, options.cacheBytes / 4)
        limits.cachePolicy = options.cachePolicy
        limits.inodesMax = options.inodesMax
        limits.keepsAccessTimes = !options.isReadOnly && !options.others.contains("noatime")
        let label = "\(MountService.hostName()):\(getpid()):\(mountpoint)"
        client = try MountService.connect(metadata, .client, label, limits, loop, logger)
        var fuse = FuseMountOptions()
        fuse.sourceName = MountSource(metadata: metadata, process: getpid()).description
        fuse.isReadOnly = options.isReadOnly
        fuse.servesLocks = true
        fuse.hasAccessControlLists = true
        fuse.checksPages = true
        // The kernel takes those entries in one by one, and a program can hold that up for as long as it likes: they could not
        // be kept.
        fuse.listsAttributes = false
        fuse.others = options.others
        let filesystem = LoopConfined(MountFilesystem(client: client.value))
        do throws(FuseError) {
            session = try FuseSession(filesystem: filesystem.value, mountpoint: mountpoint, options: fuse)
        } catch {
            MountService.disconnect(client, loop)
            throw .fuse(error)
        }
        let result = LoopConfined<Result<Void, FileError>?>(nil)
        self.result = result
        loop.execute { [loop, client, session] in
            client.value.dropKernelPages = { [weak session] inode, ranges, completion in
                guard let session else { return completion() }
                let confined = LoopConfined(completion)
                session.dropPages(of: inode, ranges) { loop.execute { confined.value() } }
            }
            client.value.growKernelFile = { [weak session] inode, size, completion in
                guard let session else { return completion() }
                let confined = LoopConfined(completion)
                session.growFile(inode, to: size) { loop.execute { confined.value() } }
            }
            client.value.dropKernelAttributes = { [weak session] inodes, completion in
                guard let session else { return completion() }
                filesystem.value.dropAttributes(of: inodes, session, loop, completion)
            }
            client.value.dropKernelAttributesAtOnce = { [client, weak session] inode in
                session?.dropAttributesAtOnce(of: inode) ?? true || !client.value.kernelKnows(inode)
            }
            client.value.dropKernelNames = { [weak session] directory, names, completion in
                guard let session else { return completion() }
                let confined = LoopConfined(completion)
                session.dropNames(of: directory, names) { loop.execute { confined.value() } }
            }
        }
        reader = DescriptorReader(
            descriptor: dup(session.descriptor), bytesMax: FuseMountOptions.messageBytesMax, loop: loop,
            sender: FuseSession.sender(ofMessage:), onMessage: { [session] in session.process($0) },
            onEnd: { [client, ended, isEnding] in
                // Unmounted: there is no kernel any more that shows names.
                if !isEnding.value { client.value.dropKernelNames = nil }
                client.value.close { outcome in
                    result.value = outcome
                    ended.signal()
                }
            })
    }

    /// A client with an open session.
    package static func connect(
        _ metadata: HostPort, _ role: Hello.Role, _ label: String, _ limits: ClientLimits, _ loop: Loop,
        _ logger: Logger, deadline: Interval = .seconds(10)
    ) throws(MountError) -> LoopConfined<Client> {
        let opened = DispatchSemaphore(value: 0)
        let made = LoopConfined<Client?>(nil)
        let outcome = LoopConfined<Result<Void, ClientError>?>(nil)
        loop.execute {
            let client = Client(
                metadataAddress: metadata.description, role: role, label: label,
                network: LoopNetwork(loop: loop, logger: logger), scheduler: loop, limits: limits, logger: logger)
            made.value = client
            client.open(deadline: deadline) { result in
                outcome.value = result
                opened.signal()
            }
        }
        opened.wait()
        guard let client = made.value else { preconditionFailure("the loop made a client before it signalled") }
        let confined = LoopConfined(client)
        switch outcome.value {
        case .success: return confined
        case .failure(.refused(let status)):
            disconnect(confined, loop)
            throw .refused(metadata, status)
        case .failure(.unreachable), nil:
            disconnect(confined, loop)
            throw .unreachable(metadata)
        }
    }

    /// Ends the session in order, and the loop's use of it.
    @discardableResult
    package static func disconnect(_ client: LoopConfined<Client>, _ loop: Loop) -> Result<Void, FileError> {
        let closed = DispatchSemaphore(value: 0)
        let outcome = LoopConfined<Result<Void, FileError>>(.success(()))
        loop.execute {
            client.value.close { result in
                outcome.value = result
                closed.signal()
            }
        }
        closed.wait()
        return outcome.value
    }

    package var mountpoint: String { session.mountpoint }

    /// Returns when the mount has ended, whoever unmounted it, and everything is written back.
    package func waitUntilEnded() throws(MountError) {
        ended.wait()
        ended.signal()
        if case .failure(let error)? = result.value { throw .unsaved(error) }
    }

    /// The same, but false if it has not ended `within` so long.
    package func waitUntilEnded(within limit: Interval) throws(MountError) -> Bool {
        guard ended.wait(timeout: .now() + .milliseconds(Int(limit.milliseconds))) == .success else { return false }
        ended.signal()
        try waitUntilEnded()
        return true
    }

    /// Answers no further request, and writes back: `waitUntilEnded` returns after that. Whoever still uses the mount
    /// waits until this process has ended, and then gets ENOTCONN.
    package func end() {
        loop.execute { [isEnding] in isEnding.value = true }
        reader.close()
    }

    /// Unmounts: from now on nobody new comes in; who has files open may finish.
    package func unmount(isLazy: Bool) throws(MountError) {
        do throws(FuseError) { try session.unmount(isLazy: isLazy) } catch {
            if error == .notMounted(session.mountpoint) { return }
            throw .fuse(error)
        }
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
