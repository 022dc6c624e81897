import CLinux
import Glibc

/// The processes that work on the objects, each on one mount. They are told what to do and answer through pipes, all at once:
/// nothing of a round is under way when it has ended.
struct Crew {
    private struct Member {
        let child: Child
        let commands: CInt
        let answers: CInt
        let mount: Int
    }
    private var members: [Member] = []
    private let mountCount: Int
    /// Longer than any call may take.
    private let secondsMax: Int

    /// - Parameter arguments: Of this program, for the process of that number.
    init(processes: Int, mountCount: Int, secondsMax: Int, arguments: (Int) -> [String]) throws {
        (self.mountCount, self.secondsMax) = (mountCount, secondsMax)
        for process in 0..<processes {
            let (commands, answers) = (try Crew.pipe(), try Crew.pipe())
            let child = try Child(arguments(process), input: commands.reading, output: answers.writing)
            close(commands.reading)
            close(answers.writing)
            members.append(
                Member(
                    child: child, commands: commands.writing, answers: answers.reading, mount: process % mountCount))
        }
    }

    private static func pipe() throws -> (reading: CInt, writing: CInt) {
        var ends: [CInt] = [0, 0]
        let result = ends.withUnsafeMutableBufferPointer {
            Kernel.call(SYS_pipe2, Int(bitPattern: $0.baseAddress), Int(O_CLOEXEC))
        }
        guard result == 0 else { throw Broken("pipe", result) }
        return (ends[0], ends[1])
    }

    var count: Int { members.count }
    func mount(of process: Int) -> Int { members[process].mount }

    /// One process of each mount.
    func oneOfEach(_ random: inout Random) -> [Int] {
        (0..<mountCount).map { mount in random.pick(members.indices.filter { members[$0].mount == mount }) }
    }

    /// Has every process do its steps, all processes at the same time.
    /// - Parameter work: Steps by process.
    func carryOut(_ work: [Int: [Step]]) throws -> [Event] {
        let work = work.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        for (process, steps) in work {
            try Words.send(steps.flatMap(\.words), to: Int(members[process].commands))
        }
        var events: [Event] = []
        let deadline = Words.now + secondsMax * 1_000_000_000
        for (process, steps) in work {
            try waitFor(process, until: deadline, steps)
            guard let words = try Words.receive(from: Int(members[process].answers)) else {
                throw Broken("process \(process) has ended; it was to do: \(Crew.text(steps))")
            }
            var rest = words[...]
            for step in steps {
                events.append(
                    Event(
                        process: process, mount: members[process].mount, step: step, outcome: try Outcome(from: &rest)))
            }
        }
        return events
    }

    private func waitFor(_ process: Int, until deadline: Int, _ steps: [Step]) throws {
        while true {
            let left = max(0, (deadline - Words.now) / 1_000_000)
            var waiting = pollfd(fd: members[process].answers, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, CInt(left))
            if ready > 0 { return }
            if ready < 0, errno == EINTR { continue }
            throw Broken(
                "process \(process) on mount \(members[process].mount) hangs for \(secondsMax) s, in one of: "
                    + Crew.text(steps))
        }
    }

    private static func text(_ steps: [Step]) -> String {
        steps.map { "object \($0.object) \($0.text)" }.joined(separator: "; ")
    }

    /// - Returns: Whether all have ended well.
    func end() -> Bool {
        for member in members { close(member.commands) }
        return Child.waitForAll(members.map(\.child))
    }
}
