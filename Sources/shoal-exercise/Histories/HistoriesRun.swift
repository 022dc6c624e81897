import Glibc

/// Rounds of operations on shared objects by all processes at once. After each round, when nothing is under way, one process
/// of each mount looks at what was used; then the histories of the round are judged. So each search is short, and
/// begins with a state that everybody has seen.
struct HistoriesRun {
    /// One of each sort is in use at a time.
    private static let sorts = 7
    /// Objects are made, and read, before they are used: a kernel may keep no pages of a file that has changed just now, nor of one whose
    /// access time is due (relatime).
    private static let preparedCount = 5
    private static let restNanoseconds = 2_500_000_000
    /// After so many rounds the oldest object is left and another comes into use.
    private static let roundsPerObject = 12
    /// For so many rounds the same objects are used: a change of names that a kernel shows from calmer times waits for it
    /// (docs/decisions/0025), and so do the first of each such run only.
    private static let roundsPerFocus = 20
    private static let stepsPerProcess = 12

    private let seed: UInt64
    private let crew: Crew
    private let disturbance: Disturbance?
    private var values: Values
    private var objectCount: UInt64 = 0
    private var active: [any SharedObject] = []
    /// Those of them that are used just now.
    private var focus: [any SharedObject] = []
    private var prepared: [(object: any SharedObject, since: Int)] = []
    private var judge: Judge
    private(set) var rounds = 0
    private(set) var times = CallTimes()
    var operations: Int { judge.judged }
    var undecided: Int { judge.undecided }
    var unknownOutcomes: Int { judge.unknownOutcomes }
    var objects: UInt64 { objectCount }

    init(seed: UInt64, crew: Crew, disturbance: Disturbance?) {
        (self.seed, self.crew, self.disturbance) = (seed, crew, disturbance)
        values = Values(random: Random(seed: seed))
        judge = Judge(allowsFaults: disturbance != nil)
    }

    /// - Throws: What was seen and must not be.
    mutating func run(operations: Int) throws {
        for _ in 0..<HistoriesRun.preparedCount { try prepare() }
        while active.count < HistoriesRun.sorts { try activate() }
        while judge.judged < operations || disturbance?.hasKilledAll == false {
            try round()
            rounds += 1
            if rounds % HistoriesRun.roundsPerObject == 0 {
                try retire(active[0])
                try activate()
            }
        }
        for object in active { try retire(object) }
    }

    // MARK: Rounds

    private mutating func round() throws {
        if rounds % HistoriesRun.roundsPerFocus == 0 || focus.isEmpty { chooseFocus() }
        var work: [Int: [Step]] = [:]
        for process in 0..<crew.count {
            for _ in 0..<HistoriesRun.stepsPerProcess {
                let object = values.random.pick(focus)
                work[process, default: []].append(object.draw(&values))
            }
        }
        let start = Words.now
        let events = try crew.carryOut(work)
        try judge(focus, events, since: start, isLast: false)
        let spent = active.filter { judge.spent.contains($0.number) }
        for object in spent {
            try leave(object)
            try activate()
        }
    }

    /// Up to three objects.
    private mutating func chooseFocus() {
        focus = []
        for _ in 0...values.random.below(3) {
            // Those with names are slower.
            let isAny = values.random.one(in: 3)
            let object = values.random.pick(active.filter { isAny || $0.creation.action == .makeFile })
            if !focus.contains(where: { $0 === object }) { focus.append(object) }
        }
    }

    /// A look by each mount, and the judgement.
    private mutating func judge(
        _ objects: [any SharedObject], _ events: [Event], since start: Int, isLast: Bool
    ) throws {
        var looks: [Int: [Step]] = [:]
        for process in crew.oneOfEach(&values.random) {
            for object in objects { looks[process, default: []] += object.look(isLast: isLast, &values.random) }
        }
        let events = events + (try crew.carryOut(looks))
        times.add(events)
        for object in objects {
            object.judge(events.filter { $0.step.object == object.number }, &judge)
        }
        if let failure = disturbance?.failure { throw Broken(failure) }
        guard judge.complaints.isEmpty else {
            let faults = disturbance?.events(since: start) ?? []
            throw Broken(
                "round \(rounds)\n" + judge.complaints.prefix(3).joined(separator: "\n")
                    + (faults.isEmpty ? "" : "\nsince the round began:\n" + faults.joined(separator: "\n")))
        }
    }

    // MARK: Objects

    private mutating func prepare() throws {
        let number = objectCount
        objectCount += 1
        // Of its own, so that the same seed makes the same objects, whatever becomes of others.
        var random = Random(seed: seed ^ (number &+ 1) &* 0x9E37_79B9)
        let object: any SharedObject =
            switch Int(number) % HistoriesRun.sorts {
            case 0: RegisterFile(number, &random)
            case 1: SizedFile(number, &random)
            case 2: LogFile(number, &random)
            case 3: CounterFile(number, &random)
            case 4: NameSet(number, isTwo: false)
            case 5: NameSet(number, isTwo: true)
            default: Document(number)
            }
        try command([values.random.below(crew.count)], object.creation)
        if object.creation.action == .makeFile {
            try command(Array(0..<crew.count), Step(number, .tailFresh))
        }
        prepared.append((object, Words.now))
    }

    /// The object that has rested longest comes into use: everybody has opened it to read before anybody opens it to write.
    private mutating func activate() throws {
        try prepare()
        let (object, since) = prepared.removeFirst()
        let rest = since + HistoriesRun.restNanoseconds - Words.now
        // Nothing tells when a kernel may keep it.
        if rest > 0 { usleep(UInt32(rest / 1000)) }
        if object.creation.action == .makeFile {
            for action in [Step.Action.tailFresh, .openReader] {
                try command(Array(0..<crew.count), Step(object.number, action))
            }
        }
        active.append(object)
    }

    private mutating func retire(_ object: any SharedObject) throws {
        try judge([object], [], since: Words.now, isLast: true)
        try leave(object)
    }

    private mutating func leave(_ object: any SharedObject) throws {
        active.removeAll { $0 === object }
        focus.removeAll { $0 === object }
        try command(Array(0..<crew.count), Step(object.number, .forget))
        try command([values.random.below(crew.count)], Step(object.number, .remove))
    }

    /// What must succeed.
    private mutating func command(_ processes: [Int], _ step: Step) throws {
        let events = try crew.carryOut(Dictionary(uniqueKeysWithValues: processes.map { ($0, [step]) }))
        for event in events where !judge.isKnown(event) && !judge.complaints.isEmpty {
            throw Broken(judge.complaints.joined(separator: "\n"))
        }
    }
}
