import Glibc
import ShoalTypes
import Testing

@testable import ShoalCluster

@Suite struct ReadinessTests {
    private func pipes() -> (reading: CInt, writing: CInt) {
        var descriptors: [CInt] = [-1, -1]
        precondition(pipe(&descriptors) == 0)
        return (descriptors[0], descriptors[1])
    }

    @Test("What is reported arrives, on one line")
    func reported() {
        for (readiness, arrives) in [
            (Readiness.ready("127.0.0.1:1"), Readiness.ready("127.0.0.1:1")),
            (.failed("the port\nis in use"), .failed("the port is in use")),
        ] {
            let (reading, writing) = pipes()
            defer { close(reading) }
            readiness.report(on: writing)
            let outcome = Readiness.wait(on: reading, until: MonotonicClock.now + Interval.seconds(10))
            #expect(outcome == .reported(arrives))
        }
    }

    @Test("The end of the writer without a word, and a writer that says nothing in time, are told apart")
    func silence() {
        let (reading, writing) = pipes()
        defer { close(reading) }
        #expect(Readiness.wait(on: reading, until: MonotonicClock.now) == .silent)
        close(writing)
        #expect(Readiness.wait(on: reading, until: MonotonicClock.now + Interval.seconds(10)) == .ended)
    }
}
