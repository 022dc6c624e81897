import CLinux
import Glibc

/// A descriptor that closes itself. What close(2) could report has been reported by the fdatasync before it, or was
/// never promised.
final class PosixFile: DiskFile {
    private let descriptor: CInt
    private let path: String

    init(descriptor: CInt, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try systemCall("pread", path) { pread(descriptor, rest.baseAddress, rest.count, offset + done) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = try systemCall("pwrite", path) {
                pwrite(descriptor, rest.baseAddress, rest.count, offset + done)
            }
            // POSIX allows 0 here only for a disk that takes no more.
            if count == 0 { throw DiskError(errno: ENOSPC, operation: "pwrite", path: path) }
            done += count
        }
    }

    func truncate(to length: Int) throws(DiskError) {
        try systemCall("ftruncate", path) { ftruncate(descriptor, length) }
    }

    func punch(at offset: Int, count: Int) throws(DiskError) {
        do throws(DiskError) {
            try systemCall("fallocate", path) {
                linux_call(
                    Int(SYS_fallocate), Int(descriptor), Int(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE), offset, count,
                    0,
                    0)
            }
        } catch {
            guard error.errno == EOPNOTSUPP else { throw error }
            // A filesystem without holes keeps the space; zeros are what counts.
            let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: min(count, 1 << 20), alignment: 4096)
            defer { zeros.deallocate() }
            zeros.initializeMemory(as: UInt8.self, repeating: 0)
            for done in stride(from: 0, to: count, by: zeros.count) {
                try write(at: offset + done, UnsafeRawBufferPointer(rebasing: zeros[..<min(zeros.count, count - done)]))
            }
        }
    }

    func length() throws(DiskError) -> Int {
        var status = stat()
        try systemCall("fstat", path) { fstat(descriptor, &status) }
        return Int(status.st_size)
    }

    func startWriting() {
        // Only begins (sync_file_range(2)): what it writes stays in the page cache. A hint may fail; fdatasync reports the errors of
        // writing.
        let begin = 2  // SYNC_FILE_RANGE_WRITE, <linux/fs.h>
        _ = linux_call(Int(SYS_sync_file_range), Int(descriptor), 0, 0, begin, 0, 0)
    }

    func sync() throws(DiskError) {
        try systemCall("fdatasync", path) { fdatasync(descriptor) }
    }
}
