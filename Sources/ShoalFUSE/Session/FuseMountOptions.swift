import Glibc

/// How a filesystem is mounted.
package struct FuseMountOptions: Sendable {
    /// The most bytes that one read or write request carries.
    package static let requestBytesMax = 1 << 20
    /// A whole message from the kernel: the largest request and its header.
    package static let messageBytesMax = requestBytesMax + 4096

    /// What `mount` and `df` show as the source.
    package var sourceName = "shoal"
    /// What `mount` shows as the type, after `fuse.`.
    package var subtype = "shoal"
    /// Other users may use the mount. Only root may ask for it, unless /etc/fuse.conf says otherwise.
    package var allowsOthers = geteuid() == 0
    package var isReadOnly = false
    /// Set-ID programs and device files work, as on a local disk; libfuse's default is that they do not. For root only:
    /// who mounts vouches for the content. `nosuid` and `nodev` among `others` take it back.
    package var allowsPrivileges = geteuid() == 0
    /// The filesystem keeps record locks and flocks; otherwise the kernel does, for this mount alone.
    package var servesLocks = false
    /// The kernel enforces POSIX ACLs, which it asks for as extended attributes. The filesystem keeps mode and ACL in step,
    /// passes default ACLs on to new entries, and applies the umask where there is none.
    package var hasAccessControlLists = false
    /// The kernel reads its pages of a file only while it may show the file's attributes, and asks for those first otherwise;
    /// when they say that the file has changed since, it drops the pages. For filesystems that let it keep both.
    package var checksPages = false
    /// The kernel may ask for the attributes of all entries with a listing. Of no use to a filesystem that does not let it keep
    /// them: it asks for each again.
    package var listsAttributes = true
    /// Requests that may be under way which nobody waits for (readahead, direct I/O in the background).
    ///
    /// Those that wait for a lease count, and while there is no room, reads wait in the kernel with their pages locked.
    package var backgroundRequestsMax: UInt32 = 1024
    /// The kernel's readahead, raised after mounting where we may (as root).
    package var readAheadKiB = 1024
    /// Further options of mount.fuse3(8), each as `name` or `name=value`.
    package var others: [String] = []

    package init() {}

    /// The one argument of `-o`. Commas and backslashes in names are escaped for libfuse.
    var encoded: String {
        func escaped(_ text: String) -> String {
            text.reduce(into: "") { result, character in
                if character == "," || character == "\\" { result.append("\\") }
                result.append(character)
            }
        }
        var options = [
            "fsname=\(escaped(sourceName))", "subtype=\(escaped(subtype))", "default_permissions",
            "max_read=\(FuseMountOptions.requestBytesMax)",
        ]
        if allowsOthers { options.append("allow_other") }
        if isReadOnly { options.append("ro") }
        if allowsPrivileges { options += ["suid", "dev"] }
        return (options + others).joined(separator: ",")
    }
}
