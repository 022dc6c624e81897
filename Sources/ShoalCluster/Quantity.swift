/// Numbers as people read them.
package enum Quantity {
    /// Three digits or so and a binary unit: `17 B`, `4.2 KiB`, `312 GiB`.
    package static func bytes(_ count: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = Double(count)
        var unit = 0
        // 1023.95 would be written as 1024.0.
        while value >= 1023.5, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(unit == 0 ? "\(count)" : decimal(value)) \(units[unit])"
    }

    /// One digit after the point below 100, none above.
    package static func decimal(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        guard abs(value) < 99.95 else { return "\(Int64(value.rounded()))" }
        let tenths = Int64((abs(value) * 10).rounded())
        return "\(value < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10)"
    }

    /// `1 node`, `2 nodes`.
    package static func count(_ count: some BinaryInteger, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
