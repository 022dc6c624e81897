import CLinux
import Glibc

/// Messages on a pipe: the count of what follows, and that many words.
enum Words {
    static func send(_ words: [UInt64], to pipe: Int) throws {
        var bytes = ([UInt64(words.count)] + words).withUnsafeBytes { Array($0) }[...]
        while !bytes.isEmpty {
            let result = Kernel.write(pipe, Array(bytes), at: nil)
            if result == -Int(EINTR) { continue }
            guard result > 0 else { throw Broken("writing to a pipe", result) }
            bytes = bytes.dropFirst(result)
        }
    }

    /// - Returns: Nil at the end of the pipe.
    static func receive(from pipe: Int) throws -> [UInt64]? {
        guard let count = try receive(1, from: pipe)?.first else { return nil }
        guard let words = try receive(Int(count), from: pipe) else { throw Broken("a message that is cut off") }
        return words
    }

    private static func receive(_ count: Int, from pipe: Int) throws -> [UInt64]? {
        var bytes: [UInt8] = []
        while bytes.count < 8 * count {
            let (result, part) = Kernel.read(pipe, 8 * count - bytes.count, at: nil)
            if result == -Int(EINTR) { continue }
            if result == 0, bytes.isEmpty { return nil }
            guard result > 0 else { throw Broken("reading from a pipe", result) }
            bytes += part
        }
        return bytes.withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
    }

    /// In nanoseconds, on the clock that all processes of a machine share.
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}
