import Glibc

/// Why a filesystem could not be mounted, served or unmounted. The description is one line for the user.
package enum FuseError: Error, Equatable, CustomStringConvertible {
    case noFuseDevice
    case noPermission(String)
    case mountpointMissing(String)
    case mountpointNotDirectory(String)
    case alreadyMounted(String)
    /// The server of an earlier mount there is gone.
    case deadMount(String)
    case busy(String)
    case notMounted(String)
    case unknownOption(String)
    case mountFailed(String, reason: String)
    case unmountFailed(String, errno: CInt)
    case lostDevice(errno: CInt)
    /// An aborted or unmounted session was asked to serve.
    case ended

    package var description: String {
        switch self {
        case .noFuseDevice: "/dev/fuse is missing: load the kernel's fuse module, or give the container the device"
        case .noPermission(let path): "no permission to mount at \(path)"
        case .mountpointMissing(let path): "mountpoint \(path) does not exist"
        case .mountpointNotDirectory(let path): "mountpoint \(path) is not a directory"
        case .alreadyMounted(let path): "something is mounted at \(path) already"
        case .deadMount(let path): "\(path) is a mount whose server is gone; unmount it first: umount -l \(path)"
        case .busy(let path): "\(path) is in use"
        case .notMounted(let path): "nothing is mounted at \(path)"
        case .unknownOption(let text): text.isEmpty ? "bad mount options" : text
        case .mountFailed(let path, let reason): "cannot mount at \(path): \(reason)"
        case .unmountFailed(let path, let errno): "cannot unmount \(path): \(String(cString: strerror(errno)))"
        case .lostDevice(let errno): "reading /dev/fuse failed: \(String(cString: strerror(errno)))"
        case .ended: "the mount has ended"
        }
    }
}
