import CLinux
import Dispatch
import Glibc

/// A thread with a table of descriptors of its own: what it opens and closes to look at the files is not the process
/// that works on them, whose record locks would go with every close.
final class Observer: Sendable {
    private let wanted = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)
    private let box = Box()

    /// Unchecked: the semaphores hand it from one thread to the other and back.
    private final class Box: @unchecked Sendable { var body: (() -> Void)? }

    init() throws {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { context in
                let observer = Unmanaged<Observer>.fromOpaque(context!).takeUnretainedValue()
                let unshareFiles = 0x400
                precondition(Kernel.call(SYS_unshare, unshareFiles) == 0, "every process may have its own descriptors")
                while true {
                    observer.wanted.wait()
                    observer.box.body?()
                    observer.done.signal()
                }
            }, context.toOpaque())
        guard code == 0 else { throw Broken("starting a thread", -Int(code)) }
    }

    /// What `body` returns there.
    func look<Result>(_ body: () -> Result) -> Result {
        withoutActuallyEscaping(body) { body in
            var result: Result?
            box.body = { result = body() }
            wanted.signal()
            done.wait()
            box.body = nil
            return result!
        }
    }
}
