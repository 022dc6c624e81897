import Dispatch
import Glibc
import ShoalFUSE
import ShoalTestSupport
import ShoalTypes
import Synchronization
import Testing

@Suite("FUSE adapter: the size that the kernel goes by when it reads from pages", .serialized)
struct SizeTests {
    @Test(
        "An answer that the kernel throws away leaves it with the old size, unless it was made to grow the file before")
    func growth() throws {
        for grows in [false, true] {
            try MountFixture.with(GrowingFilesystem()) { mount, filesystem in
                for bytes in [[1, 2, 3], [UInt8](repeating: 1, count: 5000)] {
                    let path = mount["f\(bytes.count)"]
                    try writeFile(path, bytes)
                    let file = try check(open(path, O_RDONLY | O_CLOEXEC))
                    defer { close(file) }
                    #expect(try read(file) == bytes)
                    let longer = bytes + (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
                    filesystem.next.withLock { $0 = .init(bytes: longer, session: mount.session, growsFirst: grows) }
                    #expect(try read(file) == (grows ? longer : bytes))
                    #expect(try read(file) == longer)
                }
            }
        }
    }

    private func read(_ file: CInt) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 100_000)
        return Array(buffer[..<(try check(pread(file, &buffer, buffer.count, 0)))])
    }
}

/// Has the kernel forget what it is about to be told.
private final class GrowingFilesystem: MemoryFilesystem, @unchecked Sendable {
    struct Growth {
        var bytes: [UInt8]
        var session: FuseSession
        var growsFirst: Bool
    }

    let next = Mutex<Growth?>(nil)

    override func getAttributes(of inode: InodeID, handle: FuseFileHandle?, reply: FuseAttributesReply) {
        if handle != nil, let growth = next.withLock({ $0.take() }), let node = try? node(inode) {
            node.bytes = growth.bytes
            node.attributes.size = UInt64(growth.bytes.count)
            let told = DispatchSemaphore(value: 0)
            if growth.growsFirst {
                growth.session.growFile(inode, to: node.attributes.size) { told.signal() }
                told.wait()
            }
            growth.session.dropPages(of: inode, [0..<UInt64(1 << 20)]) { told.signal() }
            told.wait()
        }
        super.getAttributes(of: inode, handle: handle, reply: reply)
    }
}
