import ShoalTypes
import ShoalWire

/// The cluster map in the store. Layout after the format byte: partitionCount u32 (used when the first node registers),
/// then the map as on the wire.
struct MapRecord: StoredRecord, Equatable {
    var partitionCount: UInt32 = UInt32(Geometry.partitionCountDefault)
    var map = ClusterMap()
    init() {}
    init(partitionCount: UInt32, map: ClusterMap) {
        self.partitionCount = partitionCount
        self.map = map
    }
    mutating func code(_ coder: inout WireCoder) {
        coder.integer(&partitionCount)
        coder.clusterMap(&map)
        if partitionCount == 0 || partitionCount > 65_535 { coder.fail() }
    }
}
