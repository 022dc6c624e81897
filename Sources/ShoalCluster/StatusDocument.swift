import FoundationEssentials
import ShoalTypes
import ShoalWire

/// What `shoal status` shows, as data: the output of `--json`. Keys and meanings are in docs/formats/status-json.md and
/// change only together with `format`.
package struct StatusDocument: Codable, Equatable, Sendable {
    package struct Metadata: Codable, Equatable, Sendable {
        package var address: String
        package var inodes: UInt64
        package var requests: UInt64
        package var requestsPerSecond: Double
        package var reclaimQueue: UInt64
        package var fencedSessions: Int
    }

    /// Of one node: how many of its replicas are in which state. Of the cluster: see `Totals`.
    package struct Replicas: Codable, Equatable, Sendable {
        package var inSync = 0
        package var syncing = 0
        package var stale = 0
    }

    package struct Node: Codable, Equatable, Sendable {
        package var id: UInt32
        package var address: String
        package var zone: String
        package var weight: Double
        /// `up`, `down`, or `replaced`: down for so long that others have taken over.
        package var state: String
        package var bytesTotal: UInt64
        package var bytesUsed: UInt64
        package var bytesFree: UInt64
        package var chunks: UInt64
        package var partitions: Replicas
        package var requestsPerSecond: Double
        package var reads: UInt64
        package var writes: UInt64
        package var bytesRead: UInt64
        package var bytesWritten: UInt64
        package var corruptChunks: UInt64
        package var repairedChunks: UInt64
    }

    package struct Session: Codable, Equatable, Sendable {
        package var id: UInt64
        package var label: String
        package var leases: UInt32
        package var silentMilliseconds: UInt32
    }

    package struct Totals: Codable, Equatable, Sendable {
        package var nodes: Int
        package var nodesUp: Int
        package var bytesTotal: UInt64
        package var bytesUsed: UInt64
        package var bytesFree: UInt64
        package var chunks: UInt64
        package var requestsPerSecond: Double
        /// Partitions with as many in-sync replicas as the cluster keeps; with fewer; with none on a node that is up.
        package var partitionsWhole: Int
        package var partitionsDegraded: Int
        package var partitionsUnavailable: Int
    }

    package var format = 1
    package var cluster: String
    package var epoch: UInt64
    package var replicas: Int
    package var partitions: Int
    package var metadata: Metadata
    package var nodes: [Node]
    package var sessions: [Session]
    package var totals: Totals

    /// One JSON object with sorted keys, and a newline.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n" } catch {
            preconditionFailure("numbers are finite and strings are Unicode: \(error)")
        }
    }
}
