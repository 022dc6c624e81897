/// Why an address or a listener could not be used.
package enum TransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not `HOST:PORT` with a port in 0...65535, or a host that does not resolve.
    case badAddress(String)
    case addressInUse(HostPort)
    /// Other machines could reach it.
    case notLoopback(HostPort)
    case cannotListen(HostPort, reason: String)

    package var description: String {
        switch self {
        case .badAddress(let text): "\(text): not an address of the form HOST:PORT"
        case .addressInUse(let address): "\(address): the port is in use"
        case .notLoopback(let address):
            "\(address): listening on other machines needs a cluster secret, which this release does not have"
        case .cannotListen(let address, let reason): "\(address): cannot listen: \(reason)"
        }
    }
}
