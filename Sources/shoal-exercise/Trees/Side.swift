import CLinux
import Glibc

/// One of the two filesystems that are compared, seen through one mount or several, and the files that this process has
/// open in it.
struct Side {
    let roots: [String]
    /// The same by open descriptors: what lies above the tree need not be walked with every path.
    private let bases: [String]
    private var files = [OpenFile?](repeating: nil, count: Side.slotCount)
    static let slotCount = 6

    struct OpenFile {
        var descriptor: Int
        /// Where it was opened. It may have another name since, or none.
        var place: Place
    }

    /// - Throws: `Broken`, if one cannot be opened.
    init(roots: [String]) throws {
        self.roots = roots
        bases = try roots.map { root in
            let file = Kernel.open(root, linux_o_path | O_DIRECTORY)
            guard file >= 0 else { throw Broken(root, file) }
            return "/proc/self/fd/\(file)"
        }
    }

    func path(_ place: Place, through mount: Int) -> String {
        place.isRoot ? roots[mount % roots.count] : "\(bases[mount % bases.count])/\(place.path)"
    }

    /// The first slot from `slot` on, in a circle, that has a file; nil if none has.
    func occupied(_ slot: Int) -> Int? {
        (slot..<(slot + Side.slotCount)).map { $0 % Side.slotCount }.first { files[$0] != nil }
    }

    var allOccupied: [Int] { files.indices.filter { files[$0] != nil } }

    subscript(slot: Int) -> OpenFile? { files[slot] }
    /// The descriptor in the slot, or the one that `occupied` finds instead; -1 for none.
    func file(_ slot: Int) -> Int { occupied(slot).flatMap { files[$0]?.descriptor } ?? -1 }

    /// - Returns: 0, or minus the errno.
    mutating func open(_ place: Place, through mount: Int, slot: Int, flags: CInt, mode: Int) -> Int {
        if files[slot] != nil { _ = close(slot) }
        let file = Kernel.open(path(place, through: mount), flags, mode: mode)
        guard file >= 0 else { return file }
        files[slot] = OpenFile(descriptor: file, place: place)
        return 0
    }
    mutating func close(_ slot: Int) -> Int {
        guard let slot = occupied(slot), let file = files[slot] else { return -Int(EBADF) }
        files[slot] = nil
        return Kernel.close(file.descriptor)
    }
    mutating func closeAll() { while occupied(0) != nil { _ = close(0) } }
}

/// A place in the tree, relative to the root; names come from a small set, so that operations meet.
struct Place: Hashable, CustomStringConvertible {
    let path: String
    var isRoot: Bool { path.isEmpty }
    var description: String { isRoot ? "." : path }

    /// The last two are as long as a name may be, and longer.
    private static let names = [
        "a", "b", "c", "d", "\u{1}\\ \u{e9}", "long-" + String(repeating: "n", count: 250),
        "longer-" + String(repeating: "n", count: 249),
    ]

    static let root = Place(path: "")
    static func random(_ random: inout Random) -> Place {
        var parts: [String] = []
        repeat {
            parts.append(names[random.below(random.one(in: 12) ? names.count : 4)])
        } while parts.count < 3 && random.one(in: 2)
        return Place(path: parts.joined(separator: "/"))
    }
    var parent: Place {
        guard let slash = path.lastIndex(of: "/") else { return .root }
        return Place(path: String(path[..<slash]))
    }
}
