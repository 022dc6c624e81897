import FoundationEssentials

/// What a local cluster consists of: the content of `cluster.json`.
package struct ClusterState: Codable, Equatable, Sendable {
    package static let formatCurrent = 1

    /// A metadata server or storage node. Its name is also that of its directory and log.
    package struct Server: StoppableProcess, Codable, Equatable {
        package var name: String
        /// On 127.0.0.1; chosen once, so that addresses stay over restarts.
        package var port: UInt16
        package var process: ProcessIdentity? { didSet { isStopping = nil } }
        package var isStopping: Bool?
        package init(name: String, port: UInt16, process: ProcessIdentity? = nil) {
            self.name = name
            self.port = port
            self.process = process
        }
        package var address: String { "127.0.0.1:\(port)" }
    }

    package struct Mount: StoppableProcess, Codable, Equatable {
        /// Absolute.
        package var path: String
        package var process: ProcessIdentity? { didSet { isStopping = nil } }
        package var isStopping: Bool?
        package init(path: String, process: ProcessIdentity? = nil) {
            self.path = path
            self.process = process
        }
    }

    package var format = ClusterState.formatCurrent
    package var replicas: Int
    package var meta: Server
    package var nodes: [Server]
    package var mounts: [Mount] = []

    package init(replicas: Int, meta: Server, nodes: [Server]) {
        self.replicas = replicas
        self.meta = meta
        self.nodes = nodes
    }

    package var isAnythingRunning: Bool {
        meta.isRunning || nodes.contains { $0.isRunning } || mounts.contains { $0.isRunning }
    }

    /// Names are those of directories that `purge` deletes.
    private var isSensible: Bool {
        let names = [meta.name] + nodes.map(\.name)
        return (1...LocalCluster.nodesMax).contains(nodes.count) && replicas > 0 && Set(names).count == names.count
            && names.allSatisfy {
                !$0.isEmpty
                    && $0.utf8.allSatisfy {
                        UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    }
            }
            && mounts.allSatisfy { $0.path.first == "/" }
    }

    /// nil if there is no such file.
    /// - Throws: `.corruptState`, `.unsupportedState`, `.file`.
    package static func load(_ path: String) throws(ClusterError) -> ClusterState? {
        guard let text = try TextFile.read(path) else { return nil }
        struct Format: Decodable { var format: Int }
        do {
            let format = try JSONDecoder().decode(Format.self, from: Data(text.utf8)).format
            guard format <= formatCurrent else { throw ClusterError.unsupportedState(path, format: format) }
            let state = try JSONDecoder().decode(ClusterState.self, from: Data(text.utf8))
            guard state.isSensible else {
                throw ClusterError.corruptState(path, reason: "its numbers or names make no sense")
            }
            return state
        } catch let error as ClusterError {
            throw error
        } catch {
            throw .corruptState(path, reason: "not the JSON that 'shoal up' writes")
        }
    }

    package func save(_ path: String) throws(ClusterError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text: String
        do { text = String(decoding: try encoder.encode(self), as: UTF8.self) } catch {
            preconditionFailure("strings and numbers encode: \(error)")
        }
        try TextFile.replace(path, with: text + "\n")
    }
}
