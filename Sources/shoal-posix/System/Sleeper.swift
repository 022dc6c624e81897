import Glibc

/// A program on the filesystem that runs until its input ends: /bin/cat under another name.
struct Sleeper {
    let process: pid_t
    private let input: CInt

    static func start(_ view: View, _ name: Bytes) throws(Verdict) -> Sleeper {
        try view.program(name, from: "/bin/cat")
        return try run(view, name)
    }

    /// Runs a program that exists, and waits until it has been executed.
    static func run(_ view: View, _ name: Bytes) throws(Verdict) -> Sleeper {
        var (input, started): ([CInt], [CInt]) = ([-1, -1], [-1, -1])
        guard pipe(&input) == 0, pipe(&started) == 0 else {
            throw .failed(expected: "a pipe", came: ErrorNumber.name(errno))
        }
        for end in [input[1], started[1]] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let path = view.path(name).text
        let process = fork()
        if process == 0 {
            dup2(input[0], 0)
            dup2(open("/dev/null", O_WRONLY), 1)
            execv(path, [strdup(path), nil])
            var code = errno
            write(started[1], &code, 4)
            _exit(127)
        }
        close(started[1])
        close(input[0])
        var code: CInt = 0
        let count = read(started[0], &code, 4)
        close(started[0])
        guard count == 0 else { throw .failed(expected: "success of exec(\(name))", came: ErrorNumber.name(code)) }
        return Sleeper(process: process, input: input[1])
    }

    func end() throws(Verdict) {
        close(input)
        var status: CInt = 0
        waitpid(process, &status, 0)
        try equal(status, 0, "exit status of the program")
    }
}

extension View {
    /// Copies a program of the machine here.
    func program(_ name: Bytes, from source: Bytes, _ mode: UInt32 = 0o755) throws(Verdict) {
        try file(name, View.bare.content(source))
        try chmod(name, mode).succeeds()
    }
}
