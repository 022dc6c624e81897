import ArgumentParser
import Logging
import ShoalCluster

struct Umount: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write back and unmount.",
        discussion: """
            Returns when everything written through the mount is on the storage nodes and its process has ended. A mount whose \
            process has died is cleared away.

            EXAMPLES
              shoal umount /mnt
              shoal umount --force /mnt     also if programs use it: they keep what they have open
            """)

    @Argument(help: "Where it is mounted.")
    var mountpoint: String

    @Flag(help: "Detach it even if it is in use.")
    var force = false

    @Option(help: ArgumentHelp("How long the writing back may take.", valueName: "seconds"))
    var timeout: Int64 = 120

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if !(1...86_400).contains(timeout) { throw ValidationError("--timeout is 1 to 86400 seconds") }
    }

    func run() throws {
        _ = logging.start("umount", default: .warning)
        try Mountpoint(mountpoint).unmount(isForced: force, secondsMax: timeout)
    }
}
