/// The name of a directory entry: 1...255 bytes, any but `/` and NUL, never `.` or `..`.
package struct FileName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let bytesMax = 255
    package let bytes: [UInt8]

    /// - Throws: `.nameTooLong` past 255 bytes, `.invalidArgument` for what is no name.
    package init(_ bytes: some Collection<UInt8>) throws(FileError) {
        let bytes = Array(bytes)
        guard bytes.count <= FileName.bytesMax else { throw .nameTooLong }
        guard !bytes.isEmpty, bytes != [0x2E], bytes != [0x2E, 0x2E] else { throw .invalidArgument }
        guard !bytes.contains(where: { $0 == 0 || $0 == 0x2F }) else { throw .invalidArgument }
        self.bytes = bytes
    }

    /// Where the trash is, in the root directory, once it has been on.
    package static let trash = FileName(unchecked: Array(".trash".utf8))
    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    package static func < (lhs: FileName, rhs: FileName) -> Bool { lhs.bytes.lexicographicallyPrecedes(rhs.bytes) }
    package var description: String { String(decoding: bytes, as: UTF8.self) }
}
