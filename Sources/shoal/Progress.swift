import Glibc

/// What happens, as it happens, also when standard output is a pipe.
enum Progress {
    @Sendable static func line(_ text: String) {
        print(text)
        fflush(nil)
    }
}
