import ShoalChecksum
import ShoalWire
import Testing
import ShoalTestSupport

@Suite("Frame headers")
struct FrameHeaderTests {
    private let header = FrameHeader(
        kind: .reply, operation: 0x0201, requestID: 0x0807_0605_0403_0201, messageBytes: 0x0004_0201,
        payloadBytes: 0x0003_0201, status: 0x0403, messageChecksum: 0xA4A3_A2A1)

    private func encoded(_ header: FrameHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: FrameHeader.byteCount)
        bytes.withUnsafeMutableBytes { header.encode(into: $0) }
        return bytes
    }

    private func decoded(_ bytes: [UInt8]) throws -> FrameHeader {
        try bytes.withUnsafeBytes { try FrameHeader(decoding: $0) }
    }

    /// With the header checksum made right.
    private func sealed(_ bytes: [UInt8]) -> [UInt8] {
        let sum = bytes[..<36].withUnsafeBytes { CRC32C.checksum($0) }
        return bytes[..<36] + withUnsafeBytes(of: sum.littleEndian) { Array($0) }
    }

    @Test("A header is laid out as docs/formats/frame.md says")
    func layout() {
        let start: [UInt8] = [
            0x53, 0x48, 0x4F, 0x4C, 1, 2, 0x01, 0x02, 1, 2, 3, 4, 5, 6, 7, 8, 0x01, 0x02, 0x04, 0, 0x01, 0x02, 0x03, 0,
            0x03, 0x04, 0, 0, 0xA1, 0xA2, 0xA3, 0xA4, 0, 0, 0, 0,
        ]
        #expect(encoded(header) == sealed(start))
    }

    @Test("Decoding what was encoded gives the header back, for random headers")
    func roundTrip() throws {
        var random = SeededGenerator("header roundTrip")
        for _ in 0..<1000 {
            let header = FrameHeader(
                kind: random.one(of: [.request, .reply, .notice]), operation: random.number(),
                requestID: random.number(),
                messageBytes: UInt32.random(in: 0...UInt32(FrameHeader.messageBytesMax), using: &random),
                payloadBytes: UInt32.random(in: 0...UInt32(FrameHeader.payloadBytesMax), using: &random),
                status: random.number(), messageChecksum: random.number())
            #expect(try decoded(encoded(header)) == header)
        }
    }

    @Test("Any flipped bit is found")
    func flippedBits() {
        let bytes = encoded(header)
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: bit < 32 ? WireError.badMagic : .badHeaderChecksum) { try decoded(flipped) }
        }
    }

    @Test("Headers outside their bounds are refused, each for its reason")
    func bounds() {
        var long = header
        long.messageBytes = UInt32(FrameHeader.messageBytesMax) + 1
        #expect(throws: WireError.messageTooLong(FrameHeader.messageBytesMax + 1)) { try decoded(encoded(long)) }
        long = header
        long.payloadBytes = .max
        #expect(throws: WireError.payloadTooLong(Int(UInt32.max))) { try decoded(encoded(long)) }
        var bytes = encoded(header)
        bytes[5] = 9
        #expect(throws: WireError.unknownKind(9)) { try decoded(sealed(bytes)) }
        bytes[4] = 3
        #expect(throws: WireError.noCommonVersion(minimum: 3, maximum: 3)) { try decoded(sealed(bytes)) }
    }

    @Test("The checksum is CRC-32C")
    func knownAnswer() {
        let digits = Array("123456789".utf8)
        #expect(digits.withUnsafeBytes { CRC32C.checksum($0) } == 0xE306_9283)
        let continued = digits[4...].withUnsafeBytes { rest in
            CRC32C.checksum(rest, previous: digits[..<4].withUnsafeBytes { CRC32C.checksum($0) })
        }
        #expect(continued == 0xE306_9283)
    }
}
