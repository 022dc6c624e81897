import CFuse3
import ShoalTypes

/// The answer to open and opendir.
package struct FuseOpenReply: Sendable {
    package let request: FuseRequest

    /// - Returns: false if the kernel did not take it; then no release follows.
    @discardableResult
    package func opened(_ handle: FuseFileHandle, options: FuseOpenOptions = []) -> Bool {
        // By hand: libfuse 3.14 has no field for every FOPEN bit.
        var out = fuse_open_out(handle, options)
        return request.answer { pending in
            withUnsafeBytes(of: &out) {
                fuse_reply_buf(pending, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
        }
    }

    package func error(_ error: FileError) { request.fail(error) }
}

extension fuse_open_out {
    init(_ handle: FuseFileHandle, _ options: FuseOpenOptions) {
        self.init()
        fh = handle.rawValue
        open_flags = options.rawValue
    }
}
