import ShoalTestSupport
import ShoalTypes

/// What is done to the cluster. Of the nodes one at a time, and not before the last has everything again: two copies stand one loss.
extension SimulationRun {
    func disturb() throws {
        guard let mount = mounts.randomElement(using: &random), let node = nodes.randomElement(using: &random) else {
            return
        }
        switch Int.random(in: 0..<18, using: &random) {
        case 0..<3: fault("a connection is cut", mount.name) { board.cutAny(of: mount.name) }
        case 3 where isWhole: fault("the connections to a node are cut", node.address) { board.cut(node.address) }
        case 4: fault("the metadata server is killed", "") { metadata.restart(after: draw(1...500)) }
        case 5: fault("the metadata server is stopped", "") { metadata.process.stop(for: draw(1...3000)) }
        case 6: fault("a mount is stopped for a moment", mount.name) { mount.process.stop(for: draw(1...1000)) }
        case 7, 8:
            // Past its term: it wakes up, and goes on with what it was at.
            harm(mount, "a mount is stopped past its term") { mount.process.stop(for: draw(6000...30_000)) }
        case 9, 10:
            harm(mount, "a mount does not reach the metadata server") {
                mount.isolate(from: [SimulatedMetadata.address], for: draw(100...25_000))
            }
        case 11 where isWhole:
            harm(mount, "a mount reaches nobody") {
                mount.isolate(from: Set(nodes.map(\.address) + [SimulatedMetadata.address]), for: draw(100...25_000))
            }
        case 12 where mounts.count > 1:
            noteFault("a mount is killed", of: mount.name)
            mount.kill()
            forget(mount)
            try addMount()
        case 13 where isWhole:
            fault("a node is stopped", node.address) { node.process.stop(for: draw(50...10_000)) }
        case 14 where isWhole:
            noteFault("a node is killed", of: node.address)
            try node.restart(after: draw(10...8000))
        case 15 where isWhole && mounts.allSatisfy(\.network.unreachable.isEmpty):
            noteFault("a node loses power", of: node.address)
            try node.losePower(for: draw(10...8000), using: &random)
        case 16 where isWhole:
            fault("messages are slow for a while", "") {
                let delay = board.delay
                board.delay = 1000...100_000
                clock.schedule(after: draw(50...500)) { [board] in board.delay = delay }
            }
        case 17 where isWhole:
            // Whoever is told takes the node out, which counts as its loss.
            fault("a mount does not reach a node", "\(mount.name), \(node.address)") {
                mount.isolate(from: [node.address], for: draw(50...3000))
            }
        default: break
        }
    }

    private func draw(_ milliseconds: ClosedRange<Int64>) -> Interval {
        .milliseconds(Int64.random(in: milliseconds, using: &random))
    }

    private func fault(_ what: String, _ target: String, _ body: () -> Void) {
        noteFault(what, of: target)
        body()
    }

    /// What it does from now on may fail, and what it has not synced may be lost.
    private func harm(_ mount: SimulatedMount, _ what: String, _ body: () -> Void) {
        harmed.insert(mount.name)
        fault(what, mount.name, body)
    }
}
