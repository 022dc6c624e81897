import ShoalTransport

/// What the mount table shows as a mount's source: `shoal@HOST:PORT#PID`, so that `shoal umount` can wait for the
/// process.
package struct MountSource: Equatable, Sendable, CustomStringConvertible {
    package var metadata: HostPort
    package var process: Int32

    package init(metadata: HostPort, process: Int32) {
        self.metadata = metadata
        self.process = process
    }

    /// nil for what is no Shoal mount.
    package init?(_ source: String) {
        guard source.hasPrefix("shoal@"), let hash = source.lastIndex(of: "#"),
            let process = Int32(source[source.index(after: hash)...])
        else { return nil }
        let address = String(source[source.index(source.startIndex, offsetBy: 6)..<hash])
        do throws(TransportError) { metadata = try HostPort(parsing: address) } catch { return nil }
        self.process = process
    }

    package var description: String { "shoal@\(metadata)#\(process)" }
}
