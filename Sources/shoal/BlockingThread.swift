import Dispatch

/// A thread of its own for work that blocks for as long as the process lives.
enum BlockingThread {
    static func run(_ name: String, _ body: @escaping @Sendable () -> Void) {
        DispatchQueue(label: name).async(execute: body)
    }
}
