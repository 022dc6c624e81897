import Glibc
import ShoalCluster

/// How far a long copy is, on standard error if that is a terminal; appears after a second.
struct ProgressBar {
    private static let width = 30
    private let label: String
    private let total: UInt64
    private let isShown = isatty(STDERR_FILENO) != 0
    private let start = ProgressBar.seconds
    private var drawnAt = ProgressBar.seconds
    private var isDrawn = false

    init(_ label: String, total: UInt64) {
        self.label = TextTable.printable(label)
        self.total = total
    }

    mutating func update(_ done: UInt64) {
        let now = Self.seconds
        guard isShown, now - start > 1, now - drawnAt > 0.1 else { return }
        drawnAt = now
        isDrawn = true
        let share = total == 0 ? 1 : min(1, Double(done) / Double(total))
        let filled = Int(share * Double(Self.width))
        let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: Self.width - filled)
        let rate = Quantity.bytes(UInt64(Double(done) / (now - start)))
        show("\r\(label) [\(bar)] \(Int(share * 100)) %  \(rate)/s\u{1B}[K")
    }

    /// Clears the line.
    func finish() {
        if isDrawn { show("\r\u{1B}[K") }
    }

    private func show(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
