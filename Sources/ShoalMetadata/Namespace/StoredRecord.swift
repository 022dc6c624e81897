import ShoalWire

/// A value in the metadata store: one format byte, then the fields as `WireCoder` writes them.
package protocol StoredRecord: WireMessage {
    /// The format that is written; what `code(_:)` describes.
    static var format: UInt8 { get }
}

extension StoredRecord {
    package static var format: UInt8 { 1 }

    package func stored() -> [UInt8] {
        var coder = WireCoder(encodingReserving: 96)
        var format = Self.format
        var copy = self
        coder.integer(&format)
        copy.code(&coder)
        return coder.encoded
    }

    /// - Throws: `.corrupt` if `bytes` is not exactly one such record of a known format.
    package init(stored bytes: UnsafeRawBufferPointer) throws(MetadataError) {
        var coder = WireCoder(decoding: bytes)
        var format: UInt8 = 0
        coder.integer(&format)
        guard format == Self.format else { throw .corrupt("\(Self.self) of unknown format \(format)") }
        self.init()
        code(&coder)
        guard !coder.failed, coder.isAtEnd else {
            throw .corrupt("\(Self.self) of \(bytes.count) bytes does not decode")
        }
    }

    package init(stored bytes: [UInt8]) throws(MetadataError) {
        let decoded: Result<Self, MetadataError> = bytes.withUnsafeBytes { raw in
            do throws(MetadataError) { return .success(try Self(stored: raw)) } catch { return .failure(error) }
        }
        self = try decoded.get()
    }
}
