import Dispatch
import Glibc
import Logging
import ShoalClient
import ShoalMount
import ShoalTransport
import ShoalTypes
import ShoalWire

/// Why a command could not do something with a path of the cluster.
struct PathError: Error, CustomStringConvertible {
    let path: String
    let error: FileError
    var description: String { "\(path.isEmpty ? "''" : path): \(String(cString: strerror(error.errno)))" }
}

/// A cluster without a mount, for commands: the client on a loop of its own, called from outside of it, one call at a
/// time.
final class RemoteFilesystem {
    private let loop = Loop(name: "command")
    private let client: LoopConfined<Client>
    private static let linksMax = 40

    /// - Throws: if no metadata server answers there.
    init(_ address: HostPort, logger: Logger) throws(MountError) {
        let label = "command:\(getpid())"
        client = try MountService.connect(address, .client, label, .production, loop, logger)
    }

    /// Writes back what is left and ends the session.
    func close() throws {
        if case .failure(let error) = MountService.disconnect(client, loop) { throw PathError(path: "/", error: error) }
        loop.shutDown()
    }

    /// Runs `body` on the loop and waits for its completion.
    func wait<Value>(
        _ path: String, _ body: @escaping @Sendable (Client, @escaping Completion<Value>) -> Void
    ) throws(PathError) -> Value {
        let outcome = LoopConfined<Result<Value, FileError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        loop.execute { [client] in
            body(client.value) { result in
                outcome.value = result
                done.signal()
            }
        }
        done.wait()
        switch outcome.value {
        case .success(let value): return value
        case .failure(let error): throw PathError(path: path, error: error)
        case nil: preconditionFailure("the completion ran before the signal")
        }
    }

    /// What `path` names, from the root. Symlinks on the way are followed; the last one if `followsLast`.
    func resolve(_ path: String, followsLast: Bool = true) throws(PathError) -> FileAttributes {
        // As path_resolution(7): an empty path names nothing.
        guard !path.isEmpty else { throw PathError(path: path, error: .notFound) }
        var names = path.split(separator: "/").map(String.init)[...]
        var trail: [FileAttributes] = [try attributes(of: .root, path)]
        var linksLeft = Self.linksMax
        while let name = names.popFirst() {
            if name == "." { continue }
            if name == ".." {
                if trail.count > 1 { trail.removeLast() }
                continue
            }
            guard let directory = trail.last else { preconditionFailure("the root stays") }
            guard directory.kind == .directory else { throw PathError(path: path, error: .notDirectory) }
            guard let found = try lookup(directory.inode, name, path) else {
                throw PathError(path: path, error: .notFound)
            }
            guard found.kind == .symlink, !names.isEmpty || followsLast else {
                trail.append(found)
                continue
            }
            linksLeft -= 1
            guard linksLeft > 0 else { throw PathError(path: path, error: .loop) }
            let bytes: [UInt8] = try wait(path) { $0.readLink(found.inode, completion: $1) }
            let target = String(decoding: bytes, as: UTF8.self)
            if target.hasPrefix("/") { trail.removeLast(trail.count - 1) }
            names = target.split(separator: "/").map(String.init)[...] + names
        }
        guard let last = trail.last else { preconditionFailure("the root stays") }
        return last
    }

    /// The directory that holds, or is to hold, `path`, and the name in it.
    func parent(of path: String) throws(PathError) -> (InodeID, FileName) {
        var names = path.split(separator: "/").map(String.init)
        guard let last = names.popLast() else { throw PathError(path: path, error: .invalidArgument) }
        let directory = try resolve("/" + names.joined(separator: "/"))
        guard directory.kind == .directory else { throw PathError(path: path, error: .notDirectory) }
        return (directory.inode, try Self.name(last, path))
    }

    func lookup(_ directory: InodeID, _ name: String, _ path: String) throws(PathError) -> FileAttributes? {
        let name = try Self.name(name, path)
        return try wait(path) { $0.lookup(directory, name, completion: $1) }
    }

    func attributes(of inode: InodeID, _ path: String) throws(PathError) -> FileAttributes {
        try wait(path) { $0.attributes(of: inode, completion: $1) }
    }

    private static func name(_ text: String, _ path: String) throws(PathError) -> FileName {
        do throws(FileError) { return try FileName(Array(text.utf8)) } catch {
            throw PathError(path: path, error: error)
        }
    }
}
