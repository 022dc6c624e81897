import Glibc

do {
    let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
    let checks = Suite.checks.filter { check in
        arguments.filters.isEmpty || arguments.filters.contains { check.title.contains($0) }
    }
    if arguments.lists {
        for check in checks { print(check.title) }
    } else {
        var runner = Runner(arguments)
        exit(runner.run(checks))
    }
} catch {
    complain(Arguments.usage)
    exit(2)
}
