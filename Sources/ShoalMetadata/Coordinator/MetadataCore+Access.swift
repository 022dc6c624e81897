import ShoalTypes
import ShoalWire

extension MetadataCore {
    /// Readers say when they read. Nobody else is told: an access time that is late harms nobody, and a recall for each
    /// would cost every reader its cache. A time set by hand (`SetAttributes`) recalls the reader's lease first, and
    /// what it had to say comes before its answer.
    func setAccessTimes(_ message: AccessTimesRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard caller(message.caller.session, request, connection) != nil else { return }
        var rest = message.times[...]
        do throws(MetadataError) {
            while !rest.isEmpty {
                // Transactions are for a handful of changes.
                var transaction = namespace.begin()
                for entry in rest.prefix(32) {
                    guard var record = try transaction.inode(entry.inode),
                        counts(entry, record.attributes)
                    else { continue }
                    record.attributes.accessTime = entry.time
                    transaction.update(record)
                }
                rest = rest.dropFirst(32)
                if let status = commit(transaction) { return reply(request, status) }
            }
        } catch {
            return reply(request, failed(error))
        }
        reply(request, Empty())
    }

    private func counts(_ entry: AccessTime, _ attributes: FileAttributes) -> Bool {
        entry.previous.map { $0 == attributes.accessTime } ?? attributes.accessCounts(at: entry.time)
    }
}
