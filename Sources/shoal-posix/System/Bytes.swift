/// A file's content, a name or a path: any bytes. Written as a string literal where they are text.
struct Bytes: Equatable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    var array: [UInt8]

    init(_ array: [UInt8]) { self.array = array }
    init(_ array: ArraySlice<UInt8>) { self.array = Array(array) }
    init(_ text: String) { array = Array(text.utf8) }
    init(stringLiteral text: String) { array = Array(text.utf8) }
    init(repeating text: String, count: Int) { array = Array(repeatElement(Array(text.utf8), count: count).joined()) }
    init(zeros count: Int) { array = [UInt8](repeating: 0, count: count) }

    /// `count` bytes with a period that no block size divides: content that is in the wrong place is told.
    init(patternOf count: Int, seed: Int = 0) {
        let period = 65521
        let start = (0..<min(count, period)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251 &+ seed &* 17) }
        array = start
        array.reserveCapacity(count)
        while array.count < count { array += start.prefix(count - array.count) }
    }

    var count: Int { array.count }
    var text: String { String(decoding: array, as: UTF8.self) }

    static func + (a: Bytes, b: Bytes) -> Bytes { Bytes(a.array + b.array) }
    subscript(range: Range<Int>) -> Bytes { Bytes(array[range]) }

    /// Text in quotes; long content by its size and first bytes.
    var description: String {
        if count <= 48, let text = String(validating: array, as: UTF8.self), !array.contains(0) { return "\"\(text)\"" }
        let head = array.prefix(12).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(count) bytes \(head)..."
    }
}
