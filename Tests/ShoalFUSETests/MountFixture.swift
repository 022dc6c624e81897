import Dispatch
import Glibc
import ShoalFUSE
import ShoalTypes
import Testing
import ShoalTestSupport

/// A filesystem mounted for real in a directory of its own, served by threads of its own, unmounted and removed at the
/// end. If that takes too long, the connection is aborted in the kernel, so that a hang is a failed test.
final class MountFixture {
    let session: FuseSession
    let path: String
    private let ended = DispatchSemaphore(value: 0)

    init(_ filesystem: any FuseFilesystem, secondsMax: Int = 20, threads: Int = 1) throws {
        path = try MountFixture.makeDirectory()
        session = try FuseSession(filesystem: filesystem, mountpoint: path, options: FuseMountOptions())
        let (session, ended) = (session, ended)
        let served = DispatchSemaphore(value: 0)
        spawnThread {
            do {
                try session.run(threads: threads)
            } catch {
                Issue.record(error)
            }
            served.signal()
        }
        spawnThread {
            if served.wait(timeout: .now() + .seconds(secondsMax)) == .timedOut {
                Issue.record("a request hung: the connection of \(session.mountpoint) is aborted")
                MountFixture.abort(connection: session.connectionNumber)
                served.wait()
            }
            ended.signal()
        }
    }

    /// Unmounts, waits for the serving threads, and removes the directory.
    func close() throws {
        if try session.isMounted() { try session.unmount(isLazy: true) }
        waitForEnd()
        #expect(rmdir(path) == 0)
    }

    func waitForEnd() { ended.wait() }

    /// Runs `body` with a mount of `filesystem`.
    @discardableResult
    static func with<F: FuseFilesystem, Result>(
        _ filesystem: F, threads: Int = 1, _ body: (MountFixture, F) throws -> Result
    ) throws -> Result {
        let fixture = try MountFixture(filesystem, threads: threads)
        let result: Result
        do {
            result = try body(fixture, filesystem)
        } catch {
            try fixture.close()
            throw error
        }
        try fixture.close()
        return result
    }

    static func makeDirectory() throws -> String {
        var template = Array("/tmp/shoal-fuse-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError("mkdtemp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Answers everything that waits in the kernel with ECONNABORTED.
    static func abort(connection: String) {
        mount("none", "/sys/fs/fuse/connections", "fusectl", 0, nil)
        let file = open("/sys/fs/fuse/connections/\(connection)/abort", O_WRONLY | O_CLOEXEC)
        if file >= 0 {
            _ = write(file, "1", 1)
            Glibc.close(file)
        }
    }

    /// The path of `name` in the mount.
    subscript(name: String) -> String { "\(path)/\(name)" }
}
