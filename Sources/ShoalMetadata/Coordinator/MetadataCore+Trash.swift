import ShoalTypes
import ShoalWire

/// Every hour has its directory in the trash, and what has been there for the keep time goes. A bounded number at once;
/// what is left is in the store.
extension MetadataCore {
    func tickTrash() {
        let trash = namespace.trash
        guard trash.root.rawValue != 0, graceEnd == nil, now >= nextTrashLook, ownSession.waitingCount == 0 else {
            return
        }
        nextTrashLook = now + limits.trashPause
        let hour = wallClock.trashHour
        if trash.isOn, trash.hour != hour { runOwn(BeginTrashHour(hour)) }
        let transaction = namespace.begin()
        do throws(MetadataError) {
            let due = try transaction.trashEntries(
                upTo: trash.dueUpTo(wallClock), limit: limits.trashEntriesAtOnce)
            for (place, _) in due { runOwn(ExpireTrashEntry(place)) }
            if due.count == limits.trashEntriesAtOnce { nextTrashLook = now }
        } catch {
            _ = failed(error)
        }
    }
}
