import ShoalMetadata
import ShoalTypes

/// How a metadata server is set up.
package struct MetadataOptions: Sendable {
    package enum Durability: String, Sendable, CaseIterable {
        /// A change survives the end of the process when it is answered, and the loss of power after the next `fsync`,
        /// as on a local filesystem.
        case fsync
        /// A change is answered once it survives the loss of power.
        case every
    }
    /// Copies of every chunk, 1...8. Used when the cluster is made; later the map says.
    package var replicas = 2
    /// Used when the cluster is made; fixed for good. 1...65,535.
    package var partitions = Geometry.partitionCountDefault
    package var durability = Durability.fsync
    package var limits = CoordinatorLimits.production

    package init() {}

    func check() throws(MetadataServerError) {
        guard (1...8).contains(replicas) else { throw .badOption("replicas must be 1 to 8, not \(replicas)") }
        guard (1...65_535).contains(partitions) else {
            throw .badOption("partitions must be 1 to 65535, not \(partitions)")
        }
    }
}
