/// What a file's content must be: bytes from `base` on, which lies before the end of the first chunk of 4 MiB, so that
/// operations cross it. Below `base` the file is a hole.
struct ContentModel {
    static let base = (4 << 20) - (700 << 10)
    static let lengthMax = 1536 << 10

    private(set) var bytes: [UInt8] = []
    /// Of the whole file.
    var size: Int { ContentModel.base + bytes.count }

    mutating func write(_ written: [UInt8], at offset: Int) {
        guard !written.isEmpty else { return }
        extend(to: offset + written.count)
        bytes.replaceSubrange(offset..<(offset + written.count), with: written)
    }

    /// At least this many bytes from `base`; zeros where there was nothing.
    mutating func extend(to length: Int) {
        if length > bytes.count { bytes.append(contentsOf: repeatElement(0, count: length - bytes.count)) }
    }

    mutating func truncate(to length: Int) {
        if length < bytes.count { bytes.removeSubrange(length...) } else { extend(to: length) }
    }

    mutating func zero(_ range: Range<Int>) {
        let inside = range.clamped(to: 0..<bytes.count)
        bytes.replaceSubrange(inside, with: repeatElement(0, count: inside.count))
    }

    func read(_ range: Range<Int>) -> ArraySlice<UInt8> { bytes[range.clamped(to: 0..<bytes.count)] }
}
