import Glibc

/// Runs the program that was built beside these tests.
struct ShoalProgram {
    let exitCode: Int32
    let output: String
    let errors: String

    init(_ arguments: [String], in directory: String) {
        let built = realpath("/proc/self/exe", nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        // swift test runs a program of the toolchain; the test bundle is the argument that ends in .xctest.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? built ?? ""
        let program =
            bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/shoal"
        let files = ["output", "errors"].map { "\(directory)/\($0)" }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (descriptor, file) in zip([CInt(1), 2], files) {
            posix_spawn_file_actions_addopen(&actions, descriptor, file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { word in strdup(word) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let result = posix_spawn(&pid, program, &actions, nil, &words, environ)
        precondition(result == 0, "\(program): \(String(cString: strerror(result)))")
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        exitCode = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
        output = Self.read(files[0])
        errors = Self.read(files[1])
    }

    private static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
