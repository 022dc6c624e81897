/// What the chunk store asks of a filesystem. Paths are absolute. Safe from any thread.
///
/// Nothing is durable before it is synced: bytes and lengths by `DiskFile.sync`, names by `syncDirectory`.
package protocol Disk: Sendable {
    /// - Throws: ENOENT if `create` is false and there is none, EEXIST if it is true and there is one.
    func open(_ path: String, create: Bool) throws(DiskError) -> any DiskFile
    /// No effect if it exists.
    func makeDirectory(_ path: String) throws(DiskError)
    func syncDirectory(_ path: String) throws(DiskError)
    /// No effect if there is no such file.
    func unlink(_ path: String) throws(DiskError)
    func rename(_ path: String, to target: String) throws(DiskError)
    /// Names in a directory, in no order.
    func list(_ directory: String) throws(DiskError) -> [String]
    func space(_ directory: String) throws(DiskError) -> DiskSpace
    /// Names this run of the machine: what was written but not synced is lost at most when it changes.
    func bootID() throws(DiskError) -> String
}

/// An open file; closed when the last reference goes. Safe from any thread.
package protocol DiskFile: AnyObject, Sendable {
    /// The bytes read: fewer than asked only at the end of the file.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int
    /// All of `bytes`; after an error some of them may have been written.
    func write(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(DiskError)
    func truncate(to length: Int) throws(DiskError)
    /// Gives the space of these bytes back; they read as zeros. The length stays.
    func punch(at offset: Int, count: Int) throws(DiskError)
    func length() throws(DiskError) -> Int
    /// A hint: what has been written may go to the disk from now on. Files that are started together share commits of the
    /// journal.
    func startWriting()
    /// Bytes and length survive the loss of power when this returns (fdatasync). After an error nothing is known.
    func sync() throws(DiskError)
}

package struct DiskSpace: Hashable, Sendable {
    package var bytesTotal: UInt64
    package var bytesFree: UInt64
    package init(bytesTotal: UInt64, bytesFree: UInt64) {
        self.bytesTotal = bytesTotal
        self.bytesFree = bytesFree
    }
}

package struct DiskError: Error, Hashable, Sendable, CustomStringConvertible {
    /// errno(3).
    package var errno: CInt
    package var operation: String
    package var path: String
    package init(errno: CInt, operation: String, path: String) {
        self.errno = errno
        self.operation = operation
        self.path = path
    }
    package var description: String { "\(operation) \(path): errno \(errno)" }
}
