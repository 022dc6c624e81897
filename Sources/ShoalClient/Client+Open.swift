import ShoalWire
import ShoalTypes

extension Client {
    /// Opens a file (open(2)): under any lease, which tells the server that the file is in use here. The write lease is
    /// asked for by the first write, not by open: many programs open for writing what they only read, and those who
    /// read the file elsewhere keep their caches until something is written.
    /// - Parameters:
    ///   - truncates: O_TRUNC: takes the write lease, and sets the size to 0.
    ///   - writer: who opens, which matters with O_TRUNC.
    package func open(
        _ id: InodeID, truncates: Bool, by writer: Writer = .privileged,
        completion: @escaping Completion<FileAttributes>
    ) {
        let inode = inodes.inode(id)
        // Most who open a file read it, which counts as an access: now the kernel can still be told at once.
        if inode.openCount == 0, isAccessDue(inode) { dropChanged(inode) }
        // Counted before the lease is there, so that it cannot be given back in between.
        inode.openCount += 1
        let fail: (FileError) -> Void = { [self] error in
            release(id) { _ in }
            completion(.failure(error))
        }
        if truncates {
            var change = AttributeChange()
            change.size = 0
            return truncate(inode, to: 0, change, by: writer) { result in
                switch result {
                case .success(let attributes): completion(.success(attributes))
                case .failure(let error): fail(error)
                }
            }
        }
        if inode.grant.mode >= .pin, metadata.leasesAreUsable { return completion(.success(inode.attributes)) }
        withLease(.read, on: inode, failure: fail) { done in
            completion(.success(inode.attributes))
            done()
        }
    }
}
