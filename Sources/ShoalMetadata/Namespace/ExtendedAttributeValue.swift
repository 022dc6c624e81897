import ShoalTypes
import ShoalWire

/// One extended attribute of an inode; both are in the key. Layout after the format byte: value (count u32, bytes, at
/// most `ExtendedAttributeLimits.valueBytesMax`).
package struct ExtendedAttributeValue: StoredRecord, Equatable {
    package var bytes: [UInt8] = []
    package init() {}
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package mutating func code(_ coder: inout WireCoder) {
        coder.bytes(&bytes, max: ExtendedAttributeLimits.valueBytesMax)
    }
}
