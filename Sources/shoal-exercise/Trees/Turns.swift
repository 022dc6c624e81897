import CLinux
import Glibc

/// The processes of one tree take turns: all draw the same random numbers, so each knows whose turn it is, and whoever
/// had the last one hands over how many operations have been done.
struct Turns {
    let process: Int
    /// By process: where it reads, where the others write.
    private let pipes: [(reading: Int, writing: Int)]

    /// - Parameter pipes: From `makePipes`.
    init(process: Int, pipes text: String) throws {
        self.process = process
        pipes = text.split(separator: ",").compactMap { pair in
            let numbers = pair.split(separator: ":").compactMap { Int($0) }
            return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
        }
        guard pipes.indices.contains(process) else { throw Broken("--turns \(text)") }
    }

    /// One for each process, to be inherited.
    static func makePipes(_ count: Int) throws -> String {
        try (0..<count).map { _ in
            var ends: [CInt] = [0, 0]
            guard pipe(&ends) == 0 else { throw Broken("pipe", -Int(errno)) }
            return "\(ends[0]):\(ends[1])"
        }.joined(separator: ",")
    }

    /// - Returns: the operations done so far.
    func take() throws -> Int {
        let (result, bytes) = Kernel.read(pipes[process].reading, MemoryLayout<Int>.size, at: nil)
        guard result == bytes.count, result == MemoryLayout<Int>.size else {
            throw Broken("waiting for a turn", result)
        }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
    }

    func pass(to other: Int, done: Int) throws {
        let bytes = withUnsafeBytes(of: done) { Array($0) }
        let result = Kernel.write(pipes[other].writing, bytes, at: nil)
        guard result == bytes.count else { throw Broken("passing a turn on", result) }
    }
}
