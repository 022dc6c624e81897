import Glibc

/// Ports for servers that are started without one.
enum FreePort {
    /// Below the range from which the kernel picks ports for outgoing connections, so that a stopped server's port is
    /// still free when it starts again.
    static let range: ClosedRange<UInt16> = 10_000...29_999

    /// A port of 127.0.0.1 that nobody listens on and that is not in `taken`. Clusters in different directories begin
    /// to look at different places.
    static func choose(for directory: String, notIn taken: Set<UInt16>) throws(ClusterError) -> UInt16 {
        // FNV-1a: the same on every run.
        let hash = directory.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        for step in 0..<UInt64(range.count) {
            let port = range.lowerBound + UInt16((hash % UInt64(range.count) + step) % UInt64(range.count))
            if !taken.contains(port), isFree(port) { return port }
        }
        throw .noFreePort
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // As the servers do: connections that linger from an earlier run do not count.
        var on: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 && listen(descriptor, 1) == 0
            }
        }
    }
}
