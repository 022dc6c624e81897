import ArgumentParser
import Glibc
import ShoalCluster

/// How a process that was started in the background reports to its starter (`Readiness`). For `shoal up` and `shoal
/// mount`.
struct ReadyOptions: ParsableArguments {
    @Option(name: .customLong("ready-fd"), help: .hidden)
    var descriptor: CInt?

    mutating func validate() throws {
        if let descriptor, fcntl(descriptor, F_GETFD) < 0 {
            throw ValidationError("--ready-fd \(descriptor) is not an open descriptor")
        }
    }

    /// Runs `start`, which returns where it can be reached, and reports how that went.
    func reporting(_ start: () throws -> String) throws {
        // Programs that this one starts must not keep the pipe open.
        if let descriptor { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        do {
            let address = try start()
            if let descriptor { Readiness.ready(address).report(on: descriptor) }
        } catch {
            if let descriptor { Readiness.failed("\(error)").report(on: descriptor) }
            throw error
        }
    }
}
