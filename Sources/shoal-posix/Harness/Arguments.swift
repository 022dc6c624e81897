import Glibc

/// What the command line asks for.
struct Arguments {
    var first = ""
    var second: String?
    /// Run what contains one of these; everything if there are none.
    var filters: [String] = []
    /// List instead of run.
    var lists = false
    /// Name every check as it ends, with its time.
    var isVerbose = false
    /// Seconds that one check may take.
    var deadline = 15.0

    static let usage = """
        usage: shoal-posix DIRECTORY [SECOND] [--filter TEXT]... [--list] [--verbose] [--deadline SECONDS]

          Checks what POSIX and Linux promise of the filesystem that holds DIRECTORY, in a new directory there that is
          removed at the end. SECOND is the same directory through another mount: what is done through the one is then
          observed through the other. Needs root, and directories that everybody can reach.

          --filter TEXT        only checks whose 'group: law' contains TEXT
          --list               list the checks
          --verbose            name every check as it ends, with its time
          --deadline SECONDS   that one check may take (15)

        exit status: 0 all passed or skipped, 1 a check failed, 2 nothing was checked
        """

    struct Wrong: Error {}

    init(_ words: [String]) throws(Wrong) {
        var paths: [String] = []
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--filter":
                guard let text = words.popFirst() else { throw Wrong() }
                filters.append(text)
            case "--list": lists = true
            case "--verbose": isVerbose = true
            case "--deadline":
                guard let seconds = words.popFirst().flatMap(Double.init), seconds > 0 else { throw Wrong() }
                deadline = seconds
            case _ where word.hasPrefix("-"): throw Wrong()
            default: paths.append(word)
            }
        }
        guard paths.count <= 2, lists || !paths.isEmpty else { throw Wrong() }
        first = paths.first ?? ""
        second = paths.count == 2 ? paths[1] : nil
    }
}

/// A line on standard error.
func complain(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    write(STDERR_FILENO, bytes, bytes.count)
}
