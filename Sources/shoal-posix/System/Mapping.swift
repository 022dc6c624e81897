import CLinux
import Glibc

/// A file mapped into memory.
struct Mapping {
    let memory: UnsafeMutableRawBufferPointer

    static func mapping(_ file: File, _ count: Int, _ protection: CInt, _ flags: CInt, at offset: Int = 0) -> Outcome {
        let result = mmap(nil, count, protection, flags, file.descriptor, offset)
        return Outcome("mmap of \(count)", result == MAP_FAILED ? -Int(errno) : 0)
    }

    init(
        _ file: File, _ count: Int, _ protection: CInt = PROT_READ | PROT_WRITE, _ flags: CInt = MAP_SHARED,
        at offset: Int = 0
    ) throws(Verdict) {
        let result = mmap(nil, count, protection, flags, file.descriptor, offset)
        guard let result, result != MAP_FAILED else {
            throw .failed(expected: "success of mmap of \(count)", came: ErrorNumber.name(errno))
        }
        memory = UnsafeMutableRawBufferPointer(start: result, count: count)
    }

    func bytes(_ range: Range<Int>) -> Bytes { Bytes(Array(memory[range])) }
    func set(_ content: Bytes, at offset: Int) {
        UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyBytes(from: content.array)
    }
    func sync(_ flags: CInt = MS_SYNC) -> Outcome {
        Outcome("msync", msync(memory.baseAddress!, memory.count, flags) == 0 ? 0 : -Int(errno))
    }
    func remove() { munmap(memory.baseAddress!, memory.count) }
}
