import ShoalClient
import ShoalFUSE
import ShoalRPC
import ShoalTransport
import ShoalTypes

extension MountFilesystem {
    /// Makes the kernel forget attributes, on another thread. An inode that it was told of and does not have is about to
    /// appear, from an answer that a program has not come round to taking in, or its FORGET is on the way to us; nothing
    /// tells which, so it is tried again after a moment.
    func dropAttributes(
        of inodes: [InodeID], _ session: FuseSession, _ loop: Loop, _ completion: @escaping () -> Void
    ) {
        dropAttributes(of: inodes, session, loop, until: loop.now + MountFilesystem.dropDeadline, completion)
    }

    /// Longer than a program that is not stopped can be without a processor.
    private static let dropDeadline = Interval.seconds(5)

    private func dropAttributes(
        of inodes: [InodeID], _ session: FuseSession, _ loop: Loop, until deadline: MonotonicInstant,
        _ completion: @escaping () -> Void
    ) {
        let confined = LoopConfined((filesystem: self, completion: completion))
        session.dropAttributes(of: inodes) { [session] unknown in
            loop.execute {
                let (filesystem, completion) = confined.value
                let expected = unknown.filter(filesystem.client.kernelKnows)
                guard !expected.isEmpty, loop.now < deadline else { return completion() }
                loop.schedule(after: .milliseconds(1)) {
                    filesystem.dropAttributes(of: expected, session, loop, until: deadline, completion)
                }
            }
        }
    }
}
