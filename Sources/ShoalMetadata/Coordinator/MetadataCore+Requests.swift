import ShoalTypes
import ShoalWire

/// Every request that comes in, by operation.
extension MetadataCore {
    /// `message` is valid during the call only. Every request is answered by a `.reply` or `.replyAfterSync`, now or
    /// later, unless its connection is closed first.
    package func received(
        _ operation: Operation, _ message: UnsafeRawBufferPointer, _ request: RequestID, on connection: ConnectionID,
        at moment: Moment
    ) {
        advance(to: moment)
        statistics.requests += 1
        do throws(WireError) {
            try dispatch(operation, message, request, connection)
        } catch {
            reply(request, .badRequest)
        }
        settle()
    }

    private func dispatch(
        _ operation: Operation, _ message: UnsafeRawBufferPointer, _ request: RequestID, _ connection: ConnectionID
    ) throws(WireError) {
        switch operation {
        case .lookup: run(Lookup(try NameRequest(decoding: message)), request, connection)
        case .getAttributes: run(GetAttributes(try InodeRequest(decoding: message)), request, connection)
        case .setAttributes: run(SetAttributes(try SetAttributesRequest(decoding: message)), request, connection)
        case .readDirectory: run(ReadDirectory(try ReadDirectoryRequest(decoding: message)), request, connection)
        case .create: run(CreateNode(try CreateRequest(decoding: message)), request, connection)
        case .link: run(MakeLink(try LinkRequest(decoding: message)), request, connection)
        case .unlink: run(Unlink(try NameRequest(decoding: message)), request, connection)
        case .removeDirectory: run(RemoveDirectory(try NameRequest(decoding: message)), request, connection)
        case .rename: run(Rename(try RenameRequest(decoding: message)), request, connection)
        case .readLink: run(ReadLink(try InodeRequest(decoding: message)), request, connection)
        case .setExtendedAttribute:
            run(SetExtendedAttribute(try SetExtendedAttributeRequest(decoding: message)), request, connection)
        case .getExtendedAttribute:
            run(GetExtendedAttribute(try ExtendedAttributeRequest(decoding: message)), request, connection)
        case .listExtendedAttributes:
            run(ListExtendedAttributes(try InodeRequest(decoding: message)), request, connection)
        case .removeExtendedAttribute:
            run(RemoveExtendedAttribute(try ExtendedAttributeRequest(decoding: message)), request, connection)
        case .acquireLease: run(AcquireLease(request: try AcquireLeaseRequest(decoding: message)), request, connection)
        case .commitWrite: run(CommitWrite(try CommitWriteRequest(decoding: message)), request, connection)
        case .commitWrites: commitWrites(try CommitWritesRequest(decoding: message), request, connection)
        case .prepareUpload: run(PrepareUpload(try PrepareUploadRequest(decoding: message)), request, connection)
        case .publishUpload: run(PublishUpload(try PublishUploadRequest(decoding: message)), request, connection)
        case .abandonUpload: run(AbandonUpload(try AbandonUploadRequest(decoding: message)), request, connection)
        case .releaseLeases: releaseLeases(try ReleaseLeasesRequest(decoding: message), request, connection)
        case .setAccessTimes: setAccessTimes(try AccessTimesRequest(decoding: message), request, connection)
        case .statFileSystem: run(StatFileSystem(try InodeRequest(decoding: message)), request, connection)
        case .setQuota, .listQuotas, .removeQuota, .setTrash, .listTrash, .emptyTrash:
            try dispatchUpkeep(operation, message, request, connection)
        case .syncMetadata: act(.replyAfterSync(request))
        case .openSession: openSession(try OpenSessionRequest(decoding: message), request, connection)
        case .heartbeat: heartbeat(try SessionRequest(decoding: message).session, request, connection)
        case .closeSession: closeSession(try SessionRequest(decoding: message).session, request, connection)
        case .reclaimLeases: reclaimLeases(try ReclaimLeasesRequest(decoding: message), request, connection)
        case .setLock: setLock(try SetLockRequest(decoding: message), request, connection)
        case .testLock: testLock(try TestLockRequest(decoding: message), request, connection)
        case .cancelLock: cancelLock(try CancelLockRequest(decoding: message), request, connection)
        case .reclaimLocks: reclaimLocks(try ReclaimLocksRequest(decoding: message), request, connection)
        case .fetchMap: reply(request, MapMessage(map: keeper.durable))
        case .reportNode: reportNode(try ReportNodeRequest(decoding: message), request, connection)
        case .clusterStatus: reply(request, status())
        case .registerNode: registerNode(try RegisterNodeRequest(decoding: message), request, connection)
        case .nodeHeartbeat: nodeHeartbeat(try NodeHeartbeatRequest(decoding: message), request, connection)
        case .partitionsSynced: partitionsSynced(try PartitionsSyncedRequest(decoding: message), request, connection)
        case .nodeLeaving: nodeLeaving(try NodeRequest(decoding: message).node, request, connection)
        case .hello, .recall, .glimpse, .locksGranted, .mapChanged, .deleteChunks, .readChunk, .writeChunk,
            .truncateChunk,
            .syncChunks,
            .statChunks, .verifyChunks, .chunkLayout, .punchChunk, .copyChunk, .listChunks, .partitionDigest,
            .reconcileChunks:
            reply(request, .badRequest)
        }
    }

    private func dispatchUpkeep(
        _ operation: Operation, _ message: UnsafeRawBufferPointer, _ request: RequestID, _ connection: ConnectionID
    ) throws(WireError) {
        switch operation {
        case .setQuota: run(SetQuota(try SetQuotaRequest(decoding: message)), request, connection)
        case .listQuotas: run(ListQuotas(try QuotaListRequest(decoding: message)), request, connection)
        case .removeQuota: run(RemoveQuota(try InodeRequest(decoding: message)), request, connection)
        case .setTrash: run(SetTrash(try SetTrashRequest(decoding: message)), request, connection)
        case .listTrash: run(ListTrash(try ListTrashRequest(decoding: message)), request, connection)
        case .emptyTrash: run(EmptyTrash(try EmptyTrashRequest(decoding: message)), request, connection)
        default: reply(request, .badRequest)
        }
    }

    /// The session that may ask on this connection now; otherwise the request has been answered.
    ///
    /// - `.unknownSession`: it was never there, has ended, or is being ended.
    /// - `.staleConnection`: it has a newer connection.
    /// - `.notReady`: it has not yet said what it holds, or the server still waits for others to do so.
    func caller(_ id: SessionID, _ request: RequestID, _ connection: ConnectionID) -> Session? {
        guard let session = sessions[id], session.phase != .ending else {
            reply(request, .unknownSession)
            return nil
        }
        guard session.connection == connection else {
            reply(request, .staleConnection)
            return nil
        }
        guard session.phase == .active, graceEnd == nil else {
            reply(request, .notReady)
            return nil
        }
        return session
    }

    /// A recall, glimpse or deletion was answered; anything but `.ok` means that it was not.
    package func answered(
        _ question: QuestionID, _ status: WireStatus, _ message: UnsafeRawBufferPointer, at moment: Moment
    ) {
        advance(to: moment)
        if let (key, recall) = recalls.recallAnswered(question) {
            recallAnswered(key, recall, status, message)
        } else if let (key, glimpse) = recalls.glimpseAnswered(question) {
            glimpseAnswered(key, glimpse, status, message)
        } else {
            deletionAnswered(question, status)
        }
        settle()
    }

    /// A `.sync` is done, or failed for the reason given: then nothing may be promised any more.
    package func synced(_ question: QuestionID, failure: String? = nil, at moment: Moment) {
        advance(to: moment)
        if let failure {
            act(.fail("the metadata store cannot be synced: \(failure)"))
        } else if keeper.syncing == question {
            mapIsDurable()
        } else {
            queueIsDurable(question)
        }
        settle()
    }
}
