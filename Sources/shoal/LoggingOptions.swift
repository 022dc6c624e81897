import ArgumentParser
import Logging

struct LoggingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How much is logged: trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: Logger.Level?

    /// Logs to standard error; called once, before any logger is made.
    func start(_ label: String, default level: Logger.Level) -> Logger {
        let level = logLevel ?? level
        LoggingSystem.bootstrap { StandardErrorLog(label: $0, logLevel: level) }
        return Logger(label: label)
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
