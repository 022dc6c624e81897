import Glibc

/// Work that may block, first in, first out. Production: a thread; simulation: a virtual clock.
package protocol WorkQueue: AnyObject, Sendable {
    typealias Work = @Sendable () -> Void
    /// Queues `work`; from any thread. Work that arrives after `close` is dropped.
    func submit(_ work: @escaping Work)
    /// Runs what is queued, then ends. Blocks until then; not from the queue itself.
    func close()
}

/// A thread with a queue of work. The thread takes everything that is queued at once, so a burst costs one wake-up.
package final class WorkThread: WorkQueue, @unchecked Sendable {  // all state is guarded by `mutex`
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue: [Work] = []
    private var isIdle = false
    private var isClosed = false
    package private(set) var thread = pthread_t()

    package init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wakeUp, nil)
        let created = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<WorkThread>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(created == 0, "the system has no thread left: \(created)")
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(wakeUp)
        mutex.deallocate()
        wakeUp.deallocate()
    }

    package func submit(_ work: @escaping Work) {
        pthread_mutex_lock(mutex)
        let mustWake = isIdle
        if !isClosed {
            queue.append(work)
            isIdle = false
        }
        pthread_mutex_unlock(mutex)
        if mustWake { pthread_cond_signal(wakeUp) }
    }

    package func close() {
        pthread_mutex_lock(mutex)
        let wasClosed = isClosed
        isClosed = true
        isIdle = false
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(wakeUp)
        if !wasClosed { pthread_join(thread, nil) }
    }

    private func run() {
        var batch: [Work] = []
        while true {
            pthread_mutex_lock(mutex)
            while queue.isEmpty, !isClosed {
                isIdle = true
                pthread_cond_wait(wakeUp, mutex)
            }
            isIdle = false
            swap(&batch, &queue)
            pthread_mutex_unlock(mutex)
            if batch.isEmpty { return }
            for work in batch { work() }
            batch.removeAll(keepingCapacity: true)
        }
    }
}
