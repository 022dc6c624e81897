// A pass-through of a directory by Shoal's own FUSE adapter: what FUSE alone costs. For Scripts/bench.
do {
    let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
    try serve(arguments)
} catch {
    fail(error)
}
