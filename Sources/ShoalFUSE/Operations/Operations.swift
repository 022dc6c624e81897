import CFuse3

extension fuse_lowlevel_ops {
    /// Every operation of the adapter. What is absent (lseek, fallocate, copy_file_range, ioctl, poll) the
    /// kernel does by itself or refuses.
    static var all: fuse_lowlevel_ops {
        var operations = fuse_lowlevel_ops()
        operations.addNegotiation()
        operations.addLookup()
        operations.addForget()
        operations.addAttributes()
        operations.addCreation()
        operations.addRemoval()
        operations.addRename()
        operations.addSymlinks()
        operations.addOpen()
        operations.addRead()
        operations.addWrite()
        operations.addSynchronization()
        operations.addRelease()
        operations.addLocks()
        operations.addDirectories()
        operations.addStatistics()
        operations.addExtendedAttributes()
        return operations
    }
}
