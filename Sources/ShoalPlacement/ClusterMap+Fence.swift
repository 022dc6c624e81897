import ShoalTypes

extension ClusterMap {
    /// A session ended without a goodbye: nodes that know this epoch refuse its writes. Only the newest `fencedMax` are
    /// kept. Returns whether the map changed.
    package mutating func fence(_ session: SessionID) -> Bool {
        change { map in
            guard !map.fenced.contains(session) else { return }
            map.fenced.append(session)
            map.fenced.removeFirst(max(0, map.fenced.count - ClusterMap.fencedMax))
        }
    }
}
