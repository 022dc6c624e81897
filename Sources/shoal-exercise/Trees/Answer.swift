import Glibc

/// What an operation answered, without what may differ between filesystems (descriptor numbers, inode numbers).
struct Answer: Equatable, CustomStringConvertible {
    /// 0 or a count, or minus the errno.
    var result: Int
    /// Bytes read, names listed.
    var content: [UInt8] = []

    init(_ result: Int, _ content: [UInt8] = []) {
        self.result = result
        self.content = content
    }

    var description: String {
        let text = result < 0 ? String(cString: strerror(CInt(-result))) : "\(result)"
        return content.isEmpty ? text : "\(text) with \(content.count) bytes \(content.prefix(24))"
    }
}
