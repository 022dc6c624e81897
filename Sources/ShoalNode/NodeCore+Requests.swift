import ShoalRPC
import ShoalTypes
import ShoalWire

/// The node's port: clients and other nodes.
extension NodeCore: ListenerDelegate {
    package func greet(_ hello: Hello) -> Result<Hello, WireStatus> {
        guard !isStopping, let cluster = identity?.cluster else { return .failure(.notReady) }
        guard hello.cluster == cluster else { return .failure(.wrongCluster) }
        if hello.session != .none, !admission.connections.greet(hello.session, hello.generation) {
            return .failure(.staleConnection)
        }
        return .success(self.hello)
    }

    package func peerConnected(_ peer: any Peer, hello: Hello) {
        if hello.session != .none {
            // What still arrives on the session's older connections would be refused: end them.
            for older in inbound.values
            where older.hello.session == hello.session && older.hello.generation < hello.generation {
                closeInbound(older.peer)
            }
        }
        inbound[ObjectIdentifier(peer)] = (peer, hello)
    }

    package func peerDisconnected(_ peer: any Peer) {
        guard let gone = inbound.removeValue(forKey: ObjectIdentifier(peer)), gone.hello.session != .none else {
            return
        }
        admission.connections.disconnect(gone.hello.session, gone.hello.generation)
    }

    package func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        guard !isStopping, admission.isRegistered, threads.queuedCount < limits.queuedRequestsMax else {
            return responder.reply(.notReady)
        }
        rate.count(at: scheduler.now)
        do throws(WireError) {
            switch request.operation {
            case .readChunk: read(try request.decode(), responder)
            case .writeChunk: try write(request, responder)
            case .truncateChunk: truncate(try request.decode(), responder)
            case .syncChunks: sync(try request.decode(), responder)
            case .statChunks: stat(try request.decode(), responder)
            case .verifyChunks: repair.verify(try request.decode(), responder)
            case .chunkLayout: layout(try request.decode(), responder)
            case .punchChunk: punch(try request.decode(), responder)
            case .copyChunk: copies.copy(try request.decode(), responder)
            case .listChunks: list(try request.decode(), responder)
            case .partitionDigest where isNode(peer): digest(try request.decode(), responder)
            case .reconcileChunks where isNode(peer): reconciliation.reconcile(try request.decode(), responder)
            default: responder.reply(.badRequest)
            }
        } catch {
            responder.reply(.badRequest)
        }
    }

    private func isNode(_ peer: any Peer) -> Bool { inbound[ObjectIdentifier(peer)]?.hello.role == .node }
}
