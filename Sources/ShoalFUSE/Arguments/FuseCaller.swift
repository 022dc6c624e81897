/// The process that made the call. `umask` is given only with the operations that create something, and the kernel has
/// applied it to their mode already, unless `FuseMountOptions.hasAccessControlLists`.
package struct FuseCaller: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    package var process: Int32
    package var umask: UInt32
    package init(uid: UInt32, gid: UInt32, process: Int32, umask: UInt32) {
        self.uid = uid
        self.gid = gid
        self.process = process
        self.umask = umask
    }
}
