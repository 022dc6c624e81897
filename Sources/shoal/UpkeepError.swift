/// Why a quota or the trash could not be changed.
enum UpkeepError: Error, CustomStringConvertible {
    case noQuota(String)
    case trashNameTaken
    case notInTrash(String)
    case parentGone(String)
    case nameTaken(String)

    var description: String {
        switch self {
        case .noQuota(let path): "\(path): it has no quota of its own"
        case .trashNameTaken: "/.trash exists and is not the trash: rename it first"
        case .notInTrash(let what): "\(what): not in the trash (see 'shoal trash list')"
        case .parentGone(let what): "\(what): the directory it was in is gone; say where with --to"
        case .nameTaken(let path): "\(path): something is there; say another place with --to"
        }
    }
}
