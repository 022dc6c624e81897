import Glibc

struct Arguments {
    var source: String
    var mountpoint: String
    /// libfuse's default timeouts (1 s) instead of Shoal's (0).
    var caches = false
    var threads = 10

    struct Wrong: Error, CustomStringConvertible {
        var description: String { "usage: shoal-passthrough SOURCE MOUNTPOINT [--cache] [--threads N]" }
    }

    init(_ words: [String]) throws(Wrong) {
        var paths: [String] = []
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--cache":
                caches = true
            case "--threads":
                guard let number = words.popFirst().flatMap(Int.init), number > 0 else { throw Wrong() }
                threads = number
            case _ where word.hasPrefix("-"):
                throw Wrong()
            default:
                paths.append(word)
            }
        }
        guard paths.count == 2 else { throw Wrong() }
        (source, mountpoint) = (paths[0], paths[1])
    }
}
