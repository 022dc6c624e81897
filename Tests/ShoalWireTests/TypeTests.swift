import ShoalTypes
import ShoalWire
import Testing

@Suite("Names, errors and statuses")
struct TypeTests {
    @Test("Names are 1 to 255 bytes without slash and NUL, and neither dot nor dot-dot")
    func names() throws {
        for good in [[0x61], [0x2E, 0x2E, 0x2E], [0x2E, 0x61], [0xFF, 0x01], [UInt8](repeating: 0x61, count: 255)] {
            #expect(try FileName(good).bytes == good)
        }
        for bad: [UInt8] in [[], [0x2E], [0x2E, 0x2E], [0x2F], [0x61, 0x2F], [0x61, 0, 0x61]] {
            #expect(throws: FileError.invalidArgument) { try FileName(bad) }
        }
        #expect(throws: FileError.nameTooLong) { try FileName([UInt8](repeating: 0x61, count: 256)) }
    }

    @Test("Every error has an errno of its own, and is found by it")
    func errnos() {
        #expect(Set(FileError.allCases.map(\.errno)).count == FileError.allCases.count)
        for error in FileError.allCases { #expect(FileError(errno: error.errno) == error) }
    }

    @Test("Every status survives the wire, and unknown numbers are a bad request")
    func statuses() {
        var statuses: [WireStatus] = [
            .ok, .staleEpoch, .fenced, .staleLease, .staleConnection, .notReplica, .badChecksum, .notReady,
            .unknownSession, .wrongCluster, .badRequest, .unreachable,
        ]
        statuses += FileError.allCases.map { .failed($0) }
        for status in statuses { #expect(WireStatus(rawValue: status.rawValue) == status) }
        #expect(Set(statuses.map(\.rawValue)).count == statuses.count)
        #expect(WireStatus(rawValue: 60_000) == .badRequest)
    }
}
