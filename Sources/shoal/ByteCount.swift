import ArgumentParser

/// Bytes as users write them: a number, or one with K, M, G or T (powers of 1024, with or without B or iB).
struct ByteCount: Equatable, ExpressibleByArgument, CustomStringConvertible {
    let count: Int

    init(_ count: Int) { self.count = count }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number >= 0 else { return nil }
        var unit = argument[digits.endIndex...].uppercased()
        for suffix in ["IB", "B"] where unit.hasSuffix(suffix) && unit.count <= suffix.count + 1 {
            unit.removeLast(suffix.count)
            break
        }
        guard let shift = ["": 0, "K": 10, "M": 20, "G": 30, "T": 40][unit] else { return nil }
        let (count, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        self.count = count
    }

    var description: String {
        for (shift, unit) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] where count > 0 && count % (1 << shift) == 0 {
            return "\(count >> shift)\(unit)"
        }
        return "\(count)"
    }
    var defaultValueDescription: String { description }
}
