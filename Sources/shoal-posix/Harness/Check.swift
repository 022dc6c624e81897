/// One law, and how it is tried. `body` acts through the first mount and observes through the second, which are the same
/// unless two were given.
struct Check {
    typealias Body = (_ act: View, _ see: View) throws -> Void

    let group: String
    let law: String
    let needsTwoMounts: Bool
    let body: Body

    var title: String { "\(group): \(law)" }
}

/// The checks of one group of operations.
struct CheckList {
    let group: String
    var needsTwoMounts = false
    private(set) var checks: [Check] = []

    init(_ group: String, needsTwoMounts: Bool = false) {
        self.group = group
        self.needsTwoMounts = needsTwoMounts
    }

    mutating func check(_ law: String, _ body: @escaping Check.Body) {
        checks.append(Check(group: group, law: law, needsTwoMounts: needsTwoMounts, body: body))
    }
}
