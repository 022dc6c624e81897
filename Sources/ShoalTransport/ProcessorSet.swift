import CAffinity
import Glibc

/// What the macros of cpu_set(3) do, which Swift does not import.
enum ProcessorSet {
    private static let processorsMax = MemoryLayout<cpu_set_t>.size * 8

    static func count(_ set: cpu_set_t) -> Int {
        withUnsafeBytes(of: set) { $0.reduce(0) { $0 + $1.nonzeroBitCount } }
    }

    /// The set of `processor` alone; nil if `set` does not have it.
    static func only(_ processor: Int, of set: cpu_set_t) -> cpu_set_t? {
        guard (0..<processorsMax).contains(processor) else { return nil }
        let (index, bit) = (processor / 8, UInt8(1) << UInt8(processor % 8))
        guard withUnsafeBytes(of: set, { $0[index] & bit != 0 }) else { return nil }
        var only = cpu_set_t()
        withUnsafeMutableBytes(of: &only) { $0[index] = bit }
        return only
    }

    /// The processor on which a thread ran last; nil if there is no such thread, or its /proc entry cannot be read.
    static func processor(ofThread thread: pid_t) -> Int? {
        let file = open("/proc/\(thread)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
            let count = read(file, buffer.baseAddress, buffer.count)
            // The name, field 2, is in brackets and may hold anything; the processor is field 39 (proc_pid_stat(5)).
            guard count > 0, let bracket = buffer[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = buffer[(bracket + 1)..<count].split(separator: UInt8(ascii: " "), maxSplits: 38)
            guard fields.count > 36 else { return nil }
            return Int(String(decoding: fields[36], as: UTF8.self))
        }
    }
}
