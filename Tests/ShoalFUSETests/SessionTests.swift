import Glibc
import ShoalFUSE
import ShoalTypes
import Testing
import ShoalTestSupport

@Suite("FUSE session: mount and unmount", .serialized)
struct SessionTests {
    @Test("What is wrong with a mountpoint is said before anything is mounted")
    func badMountpoints() throws {
        let directory = try MountFixture.makeDirectory()
        defer {
            unlink(directory + "/file")
            rmdir(directory)
        }
        try writeFile(directory + "/file", [])
        func mount(_ path: String, _ options: FuseMountOptions = FuseMountOptions()) throws(FuseError) {
            _ = try FuseSession(filesystem: MemoryFilesystem(), mountpoint: path, options: options)
        }
        #expect(throws: FuseError.mountpointMissing(directory + "/none")) { try mount(directory + "/none") }
        #expect(throws: FuseError.mountpointNotDirectory(directory + "/file")) { try mount(directory + "/file") }
        #expect(throws: FuseError.alreadyMounted("/proc")) { try mount("/proc") }
        var options = FuseMountOptions()
        options.others = ["nonsense"]
        #expect {
            try mount(directory, options)
        } throws: { error in
            if case .unknownOption(let text) = error as? FuseError { text.contains("nonsense") } else { false }
        }
        try MountFixture.with(MemoryFilesystem()) { fixture, _ in
            #expect(throws: FuseError.alreadyMounted(fixture.path)) { try mount(fixture.path) }
        }
    }

    @Test("An aborted mount is recognised and can be unmounted")
    func deadMount() throws {
        let path = try MountFixture.makeDirectory()
        do {
            let session = try FuseSession(filesystem: MemoryFilesystem(), mountpoint: path, options: FuseMountOptions())
            // As after kill -9: the connection is gone, the mount stays.
            MountFixture.abort(connection: session.connectionNumber)
            #expect(throws: FuseError.deadMount(path)) {
                _ = try FuseSession(filesystem: MemoryFilesystem(), mountpoint: path, options: FuseMountOptions())
            }
            try FuseSession.unmount(path)
        }
        try check(rmdir(path))
    }

    @Test("A mount in use is busy; unmounted lazily it serves on until the last file is closed, then its service ends")
    func unmounting() throws {
        let fixture = try MountFixture(MemoryFilesystem())
        try writeFile(fixture["f"], [1, 2, 3])
        let file = try check(open(fixture["f"], O_RDONLY | O_CLOEXEC))
        #expect(throws: FuseError.busy(fixture.path)) { try fixture.session.unmount() }
        #expect(try fixture.session.isMounted())
        try fixture.session.unmount(isLazy: true)
        #expect(try !fixture.session.isMounted())
        #expect(throws: FuseError.notMounted(fixture.path)) { try fixture.session.unmount() }
        var buffer = [UInt8](repeating: 0, count: 4)
        #expect(read(file, &buffer, 4) == 3)
        try check(close(file))
        fixture.waitForEnd()
        try check(rmdir(fixture.path))
    }

    @Test("The end of the mount by umount(2) from elsewhere ends the service")
    func foreignUnmount() throws {
        let fixture = try MountFixture(MemoryFilesystem(), threads: 3)
        _ = try status(of: fixture.path)
        try check(umount2(fixture.path, 0))
        fixture.waitForEnd()
        try check(rmdir(fixture.path))
    }

    @Test("As root the read-ahead is raised, and the mount table shows source and type")
    func readAhead() throws {
        try MountFixture.with(MemoryFilesystem()) { mount, _ in
            _ = try status(of: mount.path)
            // The INIT message's processing ends after the answer that woke us; the next answer comes after it.
            _ = try status(of: mount.path)
            let bytes = try readFile("/sys/class/bdi/\(mount.session.device)/read_ahead_kb")
            #expect(geteuid() != 0 || bytes == Array("1024\n".utf8))
            let table = String(decoding: try readFile("/proc/self/mountinfo"), as: UTF8.self)
            #expect(table.contains(" \(mount.path) ") && table.contains("- fuse.shoal shoal "))
        }
    }
}
