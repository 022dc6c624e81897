import ShoalChecksum
import ShoalTypes

/// Whose directory this is. Text, so that a person can read it:
///
///     shoal storage node
///     format 1
///     cluster 0011223344556677
///     node 3
///     checksum 89abcdef
///
/// Every line ends with a newline; the checksum is the CRC-32C of everything before its line, eight hexadecimal digits.
package struct NodeIdentity: Equatable, Sendable {
    package static let format = 1
    package static let bytesMax = 4096
    private static let title = "shoal storage node"

    package var cluster: ClusterID
    package var node: NodeID

    package init(cluster: ClusterID, node: NodeID) {
        self.cluster = cluster
        self.node = node
    }

    package enum ParseError: Error, Equatable {
        case corrupt(String)
        case unsupportedFormat(Int)
    }

    package var encoded: [UInt8] {
        let body = "\(Self.title)\nformat \(Self.format)\ncluster \(cluster)\nnode \(node)\n"
        return Array("\(body)checksum \(Self.checksum(of: Array(body.utf8)))\n".utf8)
    }

    package init(parsing bytes: [UInt8]) throws(ParseError) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .corrupt("not text") }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let title = lines.first, title == Self.title else { throw .corrupt("not an identity file") }
        guard lines.count > 1, let format = Self.value("format", in: lines[1]).flatMap({ Int($0) }) else {
            throw .corrupt("no format")
        }
        guard format == Self.format else { throw .unsupportedFormat(format) }
        guard lines.count == 6, lines[5].isEmpty else { throw .corrupt("wrong number of lines") }
        let body = lines[..<4].joined(separator: "\n") + "\n"
        guard Self.value("checksum", in: lines[4]) == Self.checksum(of: Array(body.utf8)) else {
            throw .corrupt("wrong checksum")
        }
        guard let cluster = Self.value("cluster", in: lines[2]).flatMap({ UInt64($0, radix: 16) }), cluster != 0,
            let node = Self.value("node", in: lines[3]).flatMap({ UInt32($0) }), node != 0
        else { throw .corrupt("no cluster or node") }
        self.init(cluster: ClusterID(cluster), node: NodeID(node))
    }

    private static func value(_ name: String, in line: String) -> String? {
        line.hasPrefix("\(name) ") ? String(line.dropFirst(name.utf8.count + 1)) : nil
    }

    private static func checksum(of bytes: [UInt8]) -> String {
        let digits = String(bytes.withUnsafeBytes { CRC32C.checksum($0) }, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
