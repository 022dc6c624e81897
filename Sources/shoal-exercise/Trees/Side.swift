import CLinux
import Glibc

/// One of the two filesystems that are compared, seen through one mount or two, and the files open in it.
struct Side {
    let roots: [String]
    /// Descriptors by slot; -1 for none.
    private var files = Array(repeating: -1, count: Side.slotCount)
    static let slotCount = 6

    init(roots: [String]) { self.roots = roots }

    func path(_ place: Place, through mount: Int) -> String {
        place.isRoot ? roots[mount % roots.count] : "\(roots[mount % roots.count])/\(place.path)"
    }

    func file(_ slot: Int) -> Int { files[slot] }
    func isOpen(_ slot: Int) -> Bool { files[slot] >= 0 }
    mutating func opened(_ slot: Int, _ file: Int) { files[slot] = file }
    mutating func close(_ slot: Int) -> Int {
        defer { files[slot] = -1 }
        return Kernel.close(files[slot])
    }
}

/// A place in the tree, relative to the root; names come from a small set, so that operations meet.
struct Place: Hashable, CustomStringConvertible {
    let path: String
    var isRoot: Bool { path.isEmpty }
    var description: String { isRoot ? "." : path }

    private static let names = ["a", "b", "c", "d", "long-" + String(repeating: "n", count: 250), "\u{1}\\ \u{e9}"]

    static let root = Place(path: "")
    static func random(_ random: inout Random) -> Place {
        var parts: [String] = []
        repeat {
            parts.append(names[random.below(random.one(in: 12) ? names.count : 4)])
        } while parts.count < 3
            && random.one(in: 2)
        return Place(path: parts.joined(separator: "/"))
    }
    var parent: Place {
        guard let slash = path.lastIndex(of: "/") else { return .root }
        return Place(path: String(path[..<slash]))
    }
}
