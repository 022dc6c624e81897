import Glibc
import ShoalTypes

extension FileName {
    /// - Throws: `.nameTooLong` past 255 bytes, `.invalidArgument` for what is no name.
    init(cString: UnsafePointer<CChar>?) throws(FileError) {
        guard let cString else { throw .invalidArgument }
        try self.init(UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
    }

    /// Calls `body` with the name and a NUL after it.
    package func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: FileName.bytesMax + 1) { buffer in
            for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
            buffer[bytes.count] = 0
            return body(UnsafePointer(buffer.baseAddress!))
        }
    }
}
