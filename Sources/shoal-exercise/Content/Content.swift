import ArgumentParser

/// `shoal-exercise content`.
struct Content: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Random reads, writes, truncations, holes, copies and mappings of two files, against a model.",
        discussion: """
            With several DIRECTORY arguments (the same directory, seen through several mounts) operations alternate \
            between them; what was written through a mapping is then synchronized at once. Prints the seed; the same seed repeats the same operations.
            """)

    @Argument(help: "A directory, as one or more mounts show it; the files content-1 and content-2 are made there.")
    var directories: [String]
    @Option(help: "Where the random numbers begin.") var seed: UInt64?
    @Option(help: "How many operations.") var operations = 10_000

    func validate() throws {
        guard !directories.isEmpty, operations > 0 else { throw ValidationError("a directory must be given") }
    }

    func run() throws {
        let seed = self.seed ?? UInt64.random(in: .min ... .max)
        print("content: SHOAL_TEST_SEED=\(seed)")
        do {
            var run = try ContentRun(seed: seed, directories: directories)
            try run.run(operations: operations)
            let missing = run.missing.map(\.rawValue).sorted()
            let note = missing.isEmpty ? "" : " (not supported here: \(missing.joined(separator: ", ")))"
            print("\(operations) operations, no difference\(note)")
        } catch let broken as Broken {
            print("seed \(seed): \(broken)")
            throw ExitCode.failure
        }
    }
}
