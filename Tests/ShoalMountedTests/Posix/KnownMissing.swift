/// What Shoal does not have yet: groups of the POSIX suite that may fail on a mount. Each line goes when its feature comes.
enum KnownMissing {
    static let groups = ["fallocate", "xattr", "ACL", "record locks", "flock"]

    /// - Parameter failure: `group: law: what came`.
    static func covers(_ failure: String) -> Bool { groups.contains { failure.hasPrefix("\($0): ") } }
}
