import ShoalKeyValue
import ShoalTypes
import ShoalWire

/// The cluster map's way to the disk and from there to everybody.
extension MetadataCore {
    /// The map as peers know it.
    package var map: ClusterMap { keeper.durable }

    /// Commits the changes made since the last time, if none is being synced; answers who need not wait for that.
    /// Returns whether there was anybody to answer.
    func flushMap() -> Bool {
        let waiters = keeper.takeWaiters()
        for waiter in waiters { tell(waiter) }
        commitMap()
        return !waiters.isEmpty
    }

    private func commitMap() {
        guard let batch = keeper.nextBatch() else { return }
        do throws(KeyValueError) {
            try namespace.store.commit(batch, sync: false)
        } catch {
            // Nobody has been told: the next tick tries again.
            _ = failed(.store(error))
            return
        }
        let question = nextQuestion()
        keeper.didCommit(syncing: question)
        act(.sync(question))
    }

    func mapIsDurable() {
        let before = keeper.durable.epoch
        let waiters = keeper.didSync()
        if keeper.durable.epoch > before {
            note(.mapChanged(keeper.durable.epoch))
            let everybody = sessions.connectionsInOrder.filter { id in
                sessions.connection(id).map { $0.session != nil || $0.node != nil } ?? false
            }
            act(.publish(keeper.durable, to: everybody))
        }
        for waiter in waiters { tell(waiter) }
    }

    private func tell(_ waiter: MapKeeper.Waiter) {
        switch waiter {
        case .map(let request): reply(request, MapMessage(map: keeper.durable))
        case .registered(let request, let node):
            reply(
                request,
                RegisterNodeReply(
                    node: node, cluster: namespace.cluster,
                    heartbeatMilliseconds: UInt32(clamping: limits.nodeHeartbeat.milliseconds), map: keeper.durable))
        case .fenced(let id):
            if let session = sessions[id] { fenceIsDurable(session) }
        }
    }
}
