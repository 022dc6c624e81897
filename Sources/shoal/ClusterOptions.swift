import ArgumentParser

struct ClusterOptions: ParsableArguments {
    @Option(name: .customLong("dir"), help: ArgumentHelp("The cluster's directory.", valueName: "dir"))
    var directory = ".shoal"
}
