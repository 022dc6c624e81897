import ShoalTypes
import ShoalWire

/// The cluster's trash. Layout after the format byte: isOn u8, keepSeconds u64, root, hour, directory, emptiedUpTo u64.
///
/// What is unlinked goes to `/.trash/YYYY-MM-DD-HH/NUMBER-NAME` (UTC). `.trash` belongs to root, mode 0700, and is not
/// listed.
package struct TrashState: StoredRecord, Equatable {
    package var isOn = false
    /// How long something stays; 0 if the trash was never on.
    package var keepSeconds: UInt64 = 0
    /// `/.trash`; 0 if the trash was never on.
    package var root = InodeID(0)
    /// What `directory` is for: hours since 1970.
    package var hour: UInt64 = 0
    /// Where what is unlinked goes now.
    package var directory = InodeID(0)
    /// What came up to then is to go: milliseconds since 1970.
    package var emptiedUpTo: UInt64 = 0
    package init() {}

    package mutating func code(_ coder: inout WireCoder) {
        coder.boolean(&isOn)
        coder.integer(&keepSeconds)
        coder.number(&root)
        coder.integer(&hour)
        coder.number(&directory)
        coder.integer(&emptiedUpTo)
    }

    /// What came at or before this time (milliseconds since 1970) is to go.
    package func dueUpTo(_ now: Timestamp) -> UInt64 {
        let milliseconds = now.trashMilliseconds
        let (keep, overflow) = keepSeconds.multipliedReportingOverflow(by: 1000)
        let expired = overflow || keep > milliseconds ? 0 : milliseconds - keep
        return max(expired, emptiedUpTo)
    }

    static let directoryMode: UInt32 = 0o700
    static let secondsPerHour: UInt64 = 3600

    /// `YYYY-MM-DD-HH` of an hour since 1970, UTC.
    static func name(ofHour hour: UInt64) -> FileName {
        // Civil date from days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let days = Int64(min(hour / 24, 100_000_000)) + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))-\(padded(Int64(hour % 24), 2))"
        do throws(FileError) { return try FileName(Array(text.utf8)) } catch {
            preconditionFailure("\(text) is a name")
        }
    }

    private static func padded(_ number: Int64, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

/// Something in the trash; when it came and its inode are in the key. It may have been renamed or unlinked there since.
/// Layout after the format byte: directory u64, name, hour u64 (whose directory that is; 2^64 - 1: the trash itself),
/// formerParent u64, formerName; names are a count u32 and bytes.
package struct TrashEntry: StoredRecord, Equatable {
    package var directory = InodeID(0)
    package var name = FileName.blank
    package var hour = UInt64.max
    package var formerParent = InodeID(0)
    package var formerName = FileName.blank
    package init() {}

    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&directory)
        coder.name(&name)
        coder.integer(&hour)
        coder.number(&formerParent)
        coder.name(&formerName)
    }
}

extension Timestamp {
    /// Milliseconds since 1970; 0 before.
    var trashMilliseconds: UInt64 {
        guard seconds > 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        return overflow ? .max : whole + UInt64(nanoseconds / 1_000_000)
    }
    /// Hours since 1970; 0 before.
    package var trashHour: UInt64 { seconds > 0 ? UInt64(seconds) / TrashState.secondsPerHour : 0 }
}
