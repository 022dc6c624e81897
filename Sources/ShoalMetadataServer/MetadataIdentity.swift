import ShoalTypes

/// Whose directory this is. Text, so that a person can read it; the store's superblock says the same:
///
///     shoal metadata server
///     format 1
///     cluster 0011223344556677
///
/// Every line ends with a newline.
struct MetadataIdentity: Equatable {
    static let format = 1
    static let bytesMax = 4096
    private static let title = "shoal metadata server"
    var cluster: ClusterID

    enum ParseError: Error, Equatable {
        case corrupt(String)
        case unsupportedFormat(Int)
    }

    init(cluster: ClusterID) { self.cluster = cluster }

    var encoded: [UInt8] { Array("\(Self.title)\nformat \(Self.format)\ncluster \(cluster)\n".utf8) }

    init(parsing bytes: [UInt8]) throws(ParseError) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .corrupt("not text") }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.first == Self.title else { throw .corrupt("not a metadata server's identity") }
        guard lines.count > 1, let format = Self.value("format", in: lines[1]).flatMap({ Int($0) }) else {
            throw .corrupt("no format")
        }
        guard format == Self.format else { throw .unsupportedFormat(format) }
        guard lines.count == 4, lines[3].isEmpty,
            let cluster = Self.value("cluster", in: lines[2]).flatMap({ UInt64($0, radix: 16) }), cluster != 0
        else { throw .corrupt("no cluster") }
        self.cluster = ClusterID(cluster)
    }

    private static func value(_ name: String, in line: String) -> String? {
        line.hasPrefix("\(name) ") ? String(line.dropFirst(name.utf8.count + 1)) : nil
    }
}
