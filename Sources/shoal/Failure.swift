import ArgumentParser
import Glibc

/// How a command ends that cannot do its work: one line on standard error, exit code 64 (EX_USAGE) for a wrong command
/// line and 1 for everything else.
enum Failure {
    static func exit(with error: any Error) -> Never {
        let code = ShoalCommand.exitCode(for: error)
        // Help and version are asked for through errors too.
        guard !code.isSuccess else { ShoalCommand.exit(withError: error) }
        if code == .validationFailure {
            complain("\(oneLine(ShoalCommand.message(for: error))) (see '\(helpCommand)')")
        } else if !(error is ExitCode) {
            complain(oneLine("\(error)"))
        }
        Glibc.exit(code.rawValue)
    }

    static func complain(_ line: String) {
        fflush(nil)
        let bytes = Array("shoal: \(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    /// Ends the process without stopping anything in order.
    static func endAtOnce() -> Never { _exit(1) }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix { $0 == " " } }.joined(separator: " ")
    }

    /// The help of the command that was meant.
    private static var helpCommand: String {
        let names = ShoalCommand.configuration.groupedSubcommands.flatMap(\.subcommands).map { $0._commandName }
        guard CommandLine.arguments.count > 1, names.contains(CommandLine.arguments[1]) else { return "shoal --help" }
        return "shoal \(CommandLine.arguments[1]) --help"
    }
}
