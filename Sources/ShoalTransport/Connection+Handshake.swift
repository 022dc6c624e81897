import ShoalRPC
import ShoalTypes
import ShoalWire

// The side that dialled sends a hello request; the other answers with its own hello, or a refusal, and the frames of
// both sides follow.
extension Connection {
    func sendHello(_ hello: Hello) {
        hello.encoded().withUnsafeBytes {
            send(OutgoingFrame(.request, operation: Operation.hello.rawValue, requestID: 0), message: $0, payload: [])
        }
    }

    func receiveHello(_ header: FrameHeader, _ message: UnsafeRawBufferPointer) {
        guard header.operation == Operation.hello.rawValue, header.requestID == 0 else { return fail(.notHello) }
        switch (role, header.kind) {
        case (.accepted(let acceptor), .request): greet(message, acceptor)
        case (.dialled(let dialler), .reply): welcomed(WireStatus(rawValue: header.status), message, dialler)
        default: fail(.notHello)
        }
    }

    private func greet(_ message: UnsafeRawBufferPointer, _ acceptor: Acceptor) {
        let hello: Hello
        do throws(WireError) { hello = try Hello(decoding: message) } catch { return fail(.badFrame(error)) }
        guard hello.speaksOurVersion else {
            replyHello(.failed(.notSupported), [])
            flush()
            return fail(.noCommonVersion)
        }
        switch acceptor.delegate.greet(hello) {
        case .success(let own):
            replyHello(.ok, own.encoded())
            let peer = TransportPeer(loop: loop, limits: limits, delegate: acceptor.delegate)
            open(peer)
            peer.opened(self, hello: hello)
        case .failure(let status):
            replyHello(status, [])
            flush()
            fail(.refused(status))
        }
    }

    private func replyHello(_ status: WireStatus, _ message: [UInt8]) {
        message.withUnsafeBytes {
            send(
                OutgoingFrame(.reply, operation: Operation.hello.rawValue, requestID: 0, status: status), message: $0,
                payload: [])
        }
    }

    private func welcomed(_ status: WireStatus, _ message: UnsafeRawBufferPointer, _ dialler: Dialler) {
        guard status == .ok else {
            dialler.peer.refused(status)
            return fail(.refused(status))
        }
        let hello: Hello
        do throws(WireError) { hello = try Hello(decoding: message) } catch { return fail(.badFrame(error)) }
        guard hello.speaksOurVersion else {
            dialler.peer.refused(.failed(.notSupported))
            return fail(.noCommonVersion)
        }
        open(dialler.peer)
        dialler.opened()
        dialler.peer.opened(self, hello: hello)
    }
}

extension Hello {
    var speaksOurVersion: Bool {
        minimumVersion <= maximumVersion && (minimumVersion...maximumVersion).contains(FrameHeader.version)
    }
}
