import Glibc
import ShoalTypes
import Testing

@testable import ShoalTransport

@Suite("On which processor a loop runs")
struct ProcessorPolicyTests {
    /// One caller on processor 1 that waits for each of 64 answers: 20 us of work each, nobody else about.
    private func pingPong(on callers: [Int?] = [1, 1, 1, 1]) -> ProcessorPolicy.Window {
        ProcessorPolicy.Window(
            messages: 64, elapsed: .milliseconds(6), sleeps: 64, worked: .microseconds(64 * 20),
            queued: .microseconds(64),
            callers: callers)
    }

    @Test("A loop with one caller that waits for each answer follows it, also when it moves")
    func followsOneCaller() {
        var policy = ProcessorPolicy()
        #expect(policy.ended(pingPong()) == .following(1))
        #expect(policy.ended(pingPong()) == .following(1))
        #expect(policy.ended(pingPong(on: [0, 0])) == .following(0))
    }

    @Test(
        "Callers on several processors, unknown callers and none are not followed",
        arguments: [[0, 1, 0, 1], [nil, nil], [1, nil], []])
    func roamsWithoutOneCaller(callers: [Int?]) {
        var policy = ProcessorPolicy()
        #expect(policy.ended(pingPong()) == .following(1))
        #expect(policy.ended(pingPong(on: callers)) == .roaming)
    }

    @Test("Callers that do not wait, slow traffic and heavy work are left to the scheduler")
    func roamsUnderOtherLoads() {
        var parallel = pingPong()
        parallel.sleeps = 30
        var slow = pingPong()
        slow.elapsed = .milliseconds(70)
        var heavy = pingPong()
        heavy.worked = .milliseconds(5)
        for window in [parallel, slow, heavy] {
            var policy = ProcessorPolicy()
            #expect(policy.ended(pingPong()) == .following(1))
            #expect(policy.ended(window) == .roaming)
            #expect(policy.ended(pingPong()) == .following(1))
        }
    }

    @Test("A processor that somebody else needs is left, for twice as long each time")
    func restsAfterContention() {
        var contended = pingPong()
        contended.queued = .milliseconds(20)
        var policy = ProcessorPolicy()
        var rests: [Int] = []
        for _ in 0..<4 {
            while policy.ended(pingPong()) != .following(1) {}
            #expect(policy.ended(contended) == .roaming)
            var windows = 1
            while policy.ended(pingPong()) == .roaming { windows += 1 }
            rests.append(windows)
        }
        #expect(rests == [16, 32, 64, 128])
    }

    @Test("A thread's processor is read from /proc, and a thread that is not there has none")
    func processorOfThread() throws {
        let own = try #require(ProcessorSet.processor(ofThread: getpid()))
        #expect((0..<sysconf(CInt(_SC_NPROCESSORS_CONF))).contains(own))
        #expect(ProcessorSet.processor(ofThread: .max) == nil)
    }
}
