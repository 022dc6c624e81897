import CLinux
import Glibc

/// What the bytes of the objects mean, and the calls that put them there and get them.
///
/// A short read or write is no errno; it is told as `shortResult`.
private let shortResult = -Int(EPROTO)

/// Blocks of 4 KiB that are full of one number.
enum Blocks {
    static let bytes = 4096
    static let count = 8

    static func write(_ step: Step, _ file: Int) -> (result: Int, found: [UInt64]) {
        let content = [UInt64](repeating: step.value, count: bytes / 8).withUnsafeBytes { Array($0) }
        let result = Kernel.write(file, content, at: Int(step.argument) * bytes)
        return (result >= 0 && result != bytes ? shortResult : result, [])
    }

    /// The number; several, if the block is made up of what was written at several times.
    static func read(_ step: Step, _ file: Int) -> (result: Int, found: [UInt64]) {
        let (result, content) = Kernel.read(file, bytes, at: Int(step.argument) * bytes)
        guard result == bytes else { return (result < 0 ? result : shortResult, []) }
        return (result, content.withUnsafeBytes { Array(Set($0.bindMemory(to: UInt64.self)).sorted().prefix(8)) })
    }
}

enum Sizes {
    static let bytesMax = 20_000

    static func found(_ result: Int) -> (result: Int, found: [UInt64]) { (result, result < 0 ? [] : [UInt64(result)]) }

    static func size(_ status: (result: Int, status: stat)) -> (result: Int, found: [UInt64]) {
        (status.result, [UInt64(bitPattern: Int64(status.status.st_size))])
    }

    /// Writes up to the place that the step says.
    static func extend(_ step: Step, _ file: Int) -> (result: Int, found: [UInt64]) {
        let count = min(Int(step.argument), 100)
        let result = Kernel.write(
            file, [UInt8](repeating: 7, count: count), at: Int(step.argument) - count)
        return (result >= 0 && result != count ? shortResult : result, [])
    }
}

/// Records of a log, each full of its number.
enum Records {
    static let bytes = 64

    static func append(_ step: Step, _ file: Int) -> (result: Int, found: [UInt64]) {
        let content = [UInt64](repeating: step.value, count: bytes / 8).withUnsafeBytes { Array($0) }
        let result = Kernel.write(file, content, at: nil)
        return (result >= 0 && result != bytes ? shortResult : result, [])
    }

    /// The numbers of the records from the one that the step says; 0 for one that is torn.
    static func read(_ step: Step, _ file: Int) -> (result: Int, found: [UInt64]) {
        let (result, content) = Kernel.read(file, 1 << 18, at: Int(step.argument) * bytes)
        guard result >= 0 else { return (result, []) }
        let words = content.withUnsafeBytes { bytes in
            (0..<content.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
        }
        let wordCount = bytes / 8
        return (
            result,
            stride(from: 0, to: words.count, by: wordCount).map { start in
                let record = words[start..<min(start + wordCount, words.count)]
                return record.count == wordCount && Set(record).count == 1 ? record[start] : 0
            }
        )
    }
}

/// A number of eight bytes.
enum Numbers {
    enum Lock: UInt64 { case ofProcess, ofOpenFile, whole }

    static func read(_ file: Int) -> (result: Int, found: [UInt64]) {
        let (result, bytes) = Kernel.read(file, 8, at: 0)
        guard result == 8 else { return (result < 0 ? result : shortResult, []) }
        return (result, [bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }])
    }

    /// Under a lock. Found is the number before, even where what followed has failed.
    /// - Parameters:
    ///   - lock: False plants a fault.
    ///   - closes: The lock goes with the descriptor, which the caller closes.
    static func increment(
        _ step: Step, _ file: Int, lock isLocking: Bool, closes: Bool
    ) -> (result: Int, found: [UInt64]) {
        let locked = isLocking ? lock(step, file, F_WRLCK, LOCK_EX) : 0
        guard locked >= 0 else { return (locked, []) }
        let number = read(file)
        guard number.result >= 0, let before = number.found.first else {
            let unlocked = lock(step, file, F_UNLCK, LOCK_UN)
            return (min(number.result, unlocked), [])
        }
        let written = Kernel.write(file, withUnsafeBytes(of: before + 1) { Array($0) }, at: 0)
        let unlocked = closes ? 0 : lock(step, file, F_UNLCK, LOCK_UN)
        if written >= 0, written != 8 { return (shortResult, [before]) }
        return (min(written, unlocked), [before])
    }

    private static func lock(_ step: Step, _ file: Int, _ kind: CInt, _ operation: CInt) -> Int {
        let (setLockAndWait, setOpenFileLockAndWait) = (7, 38)
        guard let sort = Lock(rawValue: step.argument), sort != .whole else {
            return Kernel.call(SYS_flock, file, Int(operation))
        }
        var lock = flock()
        lock.l_type = Int16(kind)
        return withUnsafeMutablePointer(to: &lock) {
            Kernel.call(
                SYS_fcntl, file, sort == .ofProcess ? setLockAndWait : setOpenFileLockAndWait, Int(bitPattern: $0))
        }
    }
}
