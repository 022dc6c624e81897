import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addLookup() {
        lookup = { request, parent, name in
            let reply = FuseEntryReply(request: FuseRequest(request!))
            withName(name, or: reply.error) { name in
                reply.request.filesystem.lookup(name, in: InodeID(parent), reply: reply)
            }
        }
    }
}

/// Decodes a name, or answers why it is none.
func withName(
    _ cString: UnsafePointer<CChar>?, or fail: (FileError) -> Void, _ body: (FileName) -> Void
) {
    let name: FileName
    do throws(FileError) {
        name = try FileName(cString: cString)
    } catch {
        return fail(error)
    }
    body(name)
}
