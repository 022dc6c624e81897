import Glibc

/// Runs checks one after the other, each in a process and a directory of its own, and counts.
struct Runner {
    private var arguments: Arguments
    /// The suite's own directory under DIRECTORY.
    private let name = ".shoal-posix-\(getpid())"
    private var passed = 0
    private var failed = 0
    private var skipped: [(reason: String, count: Int)] = []

    init(_ arguments: Arguments) { self.arguments = arguments }

    /// - Returns: the exit status.
    mutating func run(_ checks: [Check]) -> CInt {
        guard geteuid() == 0 else { return refuse("needs root") }
        umask(0)
        // Checks compare paths with getcwd's.
        guard let first = resolved(arguments.first), let second = resolved(arguments.second ?? arguments.first) else {
            return refuse("no such directory: \(String(cString: strerror(errno)))")
        }
        arguments.first = first
        if arguments.second != nil { arguments.second = second }
        guard mkdir("\(arguments.first)/\(name)", 0o755) == 0 else {
            return refuse("mkdir \(arguments.first)/\(name): \(String(cString: strerror(errno)))")
        }
        defer { cleanUp() }
        if let second = arguments.second, access("\(second)/\(name)", F_OK) != 0 {
            return refuse("\(second) does not show what was made in \(arguments.first)")
        }
        if let fault = Worker.run(secondsMax: arguments.deadline, { try isReachable() }) {
            return refuse("DIRECTORY must be reachable by other users: \(fault.text)")
        }
        for (number, check) in checks.enumerated() { run(check, number) }
        summarise()
        return failed == 0 ? 0 : 1
    }

    private func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    private func isReachable() throws {
        try User.alice.does {
            for view in views("") { try view.stating("").succeeds() }
        }
    }

    private func views(_ suffix: String) -> [View] {
        [arguments.first, arguments.second ?? arguments.first].map { View(root: "\($0)/\(name)\(suffix)") }
    }

    private mutating func run(_ check: Check, _ number: Int) {
        let start = Time.now(CLOCK_MONOTONIC)
        let verdict: Verdict?
        if check.needsTwoMounts, arguments.second == nil {
            verdict = .skipped("needs a second mount")
        } else {
            let views = views("/\(number)")
            verdict = Worker.run(secondsMax: arguments.deadline) {
                try views[0].mkdir("", 0o777).succeeds()
                try check.body(views[0], views[1])
            }
        }
        switch verdict {
        case nil: passed += 1
        case .failed: failed += 1
        case .skipped(let reason):
            if let index = skipped.firstIndex(where: { $0.reason == reason }) {
                skipped[index].count += 1
            } else {
                skipped.append((reason, 1))
            }
        }
        if case .failed = verdict { print("FAIL \(check.title): \(verdict!.text)") }
        if arguments.isVerbose {
            let end = Time.now(CLOCK_MONOTONIC)
            let milliseconds = (end.seconds - start.seconds) * 1000 + (end.nanoseconds - start.nanoseconds) / 1_000_000
            print("\(verdict == nil ? "ok" : "--") \(milliseconds) ms \(check.title)")
        }
        fflush(nil)
    }

    private func summarise() {
        let count = skipped.reduce(0) { $0 + $1.count }
        let reasons = skipped.map { "\($0.count): \($0.reason)" }.joined(separator: "; ")
        print("\(passed) passed, \(failed) failed, \(count) skipped\(reasons.isEmpty ? "" : " (\(reasons))")")
        fflush(nil)
    }

    /// Removes what the checks left. A filesystem that hangs does not hang the suite.
    private func cleanUp() {
        let path = "\(arguments.first)/\(name)"
        let fault = Worker.run(secondsMax: 300) {
            var status: CInt = 0
            let words: [UnsafeMutablePointer<CChar>?] =
                ["rm", "-rf", "--one-file-system", path].map { (word: String) in strdup(word) } + [nil]
            var process: pid_t = 0
            try equal(posix_spawn(&process, "/bin/rm", nil, nil, words, [nil]), 0, "result of posix_spawn")
            waitpid(process, &status, 0)
            try equal(status, 0, "exit status of rm")
        }
        if let fault, access(path, F_OK) == 0 { print("left behind: \(path): \(fault.text)") }
    }

    private func refuse(_ why: String) -> CInt {
        complain("shoal-posix: \(why)")
        return 2
    }
}

extension Verdict {
    var text: String {
        switch self {
        case .failed(let expected, let came): "expected \(expected), came \(came)"
        case .skipped(let reason): "skipped: \(reason)"
        }
    }
}
