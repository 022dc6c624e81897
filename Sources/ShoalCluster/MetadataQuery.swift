import Dispatch
import Logging
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire
import Synchronization

/// Asks a metadata server one question, from outside of any loop.
package struct MetadataQuery: Sendable {
    package let address: HostPort
    private let logger: Logger

    package init(_ address: HostPort, logger: Logger) {
        self.address = address
        self.logger = logger
    }

    /// - Throws: `.metadataUnreachable`, `.metadataRefused`.
    package func clusterStatus(secondsMax: Int64 = 5) throws(ClusterError) -> ClusterStatusReply {
        let loop = Loop(name: "query")
        defer { loop.shutDown() }
        let answer = Answer()
        loop.execute { [address, logger] in
            let network = LoopNetwork(loop: loop, logger: logger)
            let peer = network.dial(
                address.description, failsFast: true, hello: { Hello(role: .command, cluster: .unknown) },
                delegate: answer)
            peer.call(.clusterStatus, Empty(), deadline: .seconds(secondsMax)) { reply in
                answer.set(reply.decode(ClusterStatusReply.self))
                network.close(peer)
            }
        }
        switch answer.wait() {
        case .success(let status): return status
        case .failure(.unreachable): throw .metadataUnreachable("\(address)")
        case .failure(let status): throw .metadataRefused("\(address)", reason: Self.words(status))
        }
    }

    private static func words(_ status: WireStatus) -> String {
        switch status {
        case .notReady: "it is still starting"
        case .badRequest: "it speaks another version, or is not a metadata server"
        case .wrongCluster: "it belongs to another cluster"
        default: "\(status)"
        }
    }
}

/// The one reply of a query, handed from the loop to the thread that waits for it.
private final class Answer: PeerDelegate, Sendable {
    private let result = Mutex<Result<ClusterStatusReply, WireStatus>?>(nil)
    private let isSet = DispatchSemaphore(value: 0)

    /// The first one counts.
    func set(_ result: Result<ClusterStatusReply, WireStatus>) {
        let isFirst = self.result.withLock { value in
            defer { value = value ?? result }
            return value == nil
        }
        if isFirst { isSet.signal() }
    }

    func wait() -> Result<ClusterStatusReply, WireStatus> {
        isSet.wait()
        guard let result = result.withLock({ $0 }) else { preconditionFailure("it was set before the signal") }
        return result
    }

    func peer(_ peer: any Peer, refused status: WireStatus) { set(.failure(status)) }
}
