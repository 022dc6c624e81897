import Glibc
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@Suite("Messages")
struct MessageTests {
    @Test("Decoding what was encoded gives the message back", arguments: MessageSample.all)
    func roundTrip(sample: MessageSample) {
        var random = SeededGenerator("roundTrip \(sample.name)")
        for _ in 0..<100 { #expect(sample.roundTrip(&random).isEqual) }
    }

    @Test("A message that is cut short anywhere, or goes on, does not decode", arguments: MessageSample.all)
    func truncation(sample: MessageSample) {
        var random = SeededGenerator("truncation \(sample.name)")
        for _ in 0..<5 {
            let bytes = sample.roundTrip(&random).bytes
            let decoding = (0..<bytes.count).filter { decodes(sample, Array(bytes[..<$0])) }
            #expect(decoding.isEmpty)
            #expect(!decodes(sample, bytes + [0]))
        }
    }

    @Test("Random mutations and noise never crash a decoder, nor make it allocate much", arguments: MessageSample.all)
    func mutation(sample: MessageSample) throws {
        var random = SeededGenerator("mutation \(sample.name)")
        let messages = (0..<500).map { _ in sample.roundTrip(&random).bytes }
        for round in 0..<3500 {
            var bytes = round % 5 == 0 ? random.raw(max: 400) : messages.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch random.next() % 4 {
                case 0: bytes[index] = 0xFF
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(random.number(), at: index)
                default: bytes[index] ^= 1 << UInt8(random.next() % 8)
                }
            }
            _ = decodes(sample, bytes)
        }
        // 47 messages share this process: their peak must stay far below what one trusted count would take.
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        #expect(usage.ru_maxrss < 1 << 20, "more than 1 GiB resident")
    }

    private func decodes(_ sample: MessageSample, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes(sample.decodes)
    }
}
