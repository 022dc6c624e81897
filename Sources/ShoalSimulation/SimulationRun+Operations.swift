import ShoalClient
import ShoalLinearizability
import ShoalTestSupport
import ShoalTypes
import ShoalWire

/// What mounts do, and what they see.
extension SimulationRun {
    func operate() {
        guard let mount = mounts.randomElement(using: &random), !isBusy(mount) else { return }
        let file = Int.random(in: 0..<files.count, using: &random)
        let first = Int.random(in: 0..<Self.cellCount, using: &random)
        let cells = first..<min(Self.cellCount, first + Int.random(in: 1...6, using: &random))
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<9: write(mount, file, cells)
        case 9..<18: read(mount, file, cells)
        case 18..<20: truncate(mount, file, to: first)
        case 20..<22: readSize(mount, file)
        case 22..<25: append(mount)
        case 25..<27: readLog(mount)
        case 27..<29: countLog(mount)
        case 29..<31: sync(mount, Int.random(in: Histories.logFile..<files.count, using: &random))
        case 31: close(mount, file)
        default: changeNames(mount)
        }
    }

    /// Begins an operation when the mount's process can.
    private func perform(_ what: String, _ mount: SimulatedMount, _ body: @escaping (_ begin: Int) -> Void) {
        let begin = begin(what, by: mount)
        mount.process.run { body(begin) }
    }

    /// What comes of an operation that reads; nothing if it fails, which it may if something was done to its mount.
    private func observe<Value>(
        _ result: Result<Value, FileError>, _ begin: Int, _ mount: SimulatedMount, _ what: String,
        _ body: (_ value: Value, _ end: Int) -> Void
    ) {
        guard let end = end(begin, by: mount) else { return }
        noteSessions()
        switch result {
        case .success(let value): body(value, end)
        case .failure(let error):
            if !harmed.contains(mount.name) { complain("\(what) by \(mount.name) failed: \(error)") }
        }
    }

    // MARK: Content

    private func record(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0 % 4))) }
    }

    /// Nil if the bytes are not of one record.
    private func value(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        let start = bytes.startIndex
        let value = (0..<4).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
        return bytes.elementsEqual(record(value, bytes.count)) ? value : nil
    }

    private func write(_ mount: SimulatedMount, _ file: Int, _ cells: Range<Int>) {
        perform("write of file \(file), cells \(cells)", mount) { [self] begin in
            let change = histories.beginWrite(UInt64(begin), of: file, cells, by: mount.name, at: begin)
            record(UInt64(begin), cellBytes * cells.count).withUnsafeBytes {
                mount.client.write(files[file], .at(UInt64(cells.lowerBound * cellBytes)), $0) { [self] result in
                    observe(result, begin, mount, "a write") { count, end in
                        if count < cellBytes * cells.count { return complain("a write took \(count) bytes") }
                        histories.end(change, at: end)
                    }
                }
            }
        }
    }

    private func truncate(_ mount: SimulatedMount, _ file: Int, to cell: Int) {
        perform("truncation of file \(file) to cell \(cell)", mount) { [self] begin in
            let change = histories.beginTruncation(of: file, to: cell, by: mount.name, at: begin)
            var attributes = AttributeChange()
            attributes.size = UInt64(cell * cellBytes)
            mount.client.setAttributes(of: files[file], attributes) { [self] result in
                observe(result, begin, mount, "a truncation") { histories.end(change, at: $1) }
            }
        }
    }

    private func read(_ mount: SimulatedMount, _ file: Int, _ cells: Range<Int>) {
        perform("read of file \(file), cells \(cells)", mount) { [self] begin in
            let length = cells.count * cellBytes
            mount.client.read(files[file], offset: UInt64(cells.lowerBound * cellBytes), length: length) {
                [self] result in
                let content = result.map { $0.flatMap { Array($0) } }
                observe(content, begin, mount, "a read") { content, end in
                    // Past the end of the file is as if it were zeros there.
                    let content = content + [UInt8](repeating: 0, count: length - content.count)
                    for (number, cell) in cells.enumerated() {
                        let start = number * cellBytes
                        if let value = value(content[start..<start + cellBytes]) {
                            histories.read(value, in: file, cell, begin, end, by: mount.name)
                        } else {
                            histories.readTorn(in: file, cell, begin, end)
                        }
                    }
                }
            }
        }
    }

    private func readSize(_ mount: SimulatedMount, _ file: Int) {
        perform("stat of file \(file)", mount) { [self] begin in
            mount.client.attributes(of: files[file]) { [self] result in
                observe(result, begin, mount, "a stat") {
                    histories.read(size: $0.size, of: file, begin, $1, by: mount.name)
                }
            }
        }
    }

    private func append(_ mount: SimulatedMount) {
        perform("append", mount) { [self] begin in
            let change = histories.beginAppend(UInt64(begin), by: mount.name, at: begin)
            record(UInt64(begin), Self.recordBytes).withUnsafeBytes {
                mount.client.write(log, .end, $0) { [self] result in
                    observe(result, begin, mount, "an append") { histories.end(change, at: $1) }
                }
            }
        }
    }

    private func readLog(_ mount: SimulatedMount) {
        perform("read of the log", mount) { [self] begin in
            mount.client.read(log, offset: 0, length: 1 << 20) { [self] result in
                observe(result.map { $0.flatMap { Array($0) } }, begin, mount, "a read of the log") { content, end in
                    guard content.count % Self.recordBytes == 0 else {
                        return complain("the log has \(content.count) bytes in \(begin)...\(end)")
                    }
                    let records = stride(from: 0, to: content.count, by: Self.recordBytes).map {
                        value(content[$0..<$0 + Self.recordBytes]) ?? 0
                    }
                    histories.observed(.read(records), begin, end, by: mount.name)
                }
            }
        }
    }

    private func countLog(_ mount: SimulatedMount) {
        perform("stat of the log", mount) { [self] begin in
            mount.client.attributes(of: log) { [self] result in
                observe(result, begin, mount, "a stat") {
                    histories.observed(.count(Int($0.size) / Self.recordBytes), begin, $1, by: mount.name)
                }
            }
        }
    }

    private func sync(_ mount: SimulatedMount, _ file: Int) {
        perform("fsync of file \(file)", mount) { [self] begin in
            mount.client.sync(inode(of: file)) { [self] result in
                if case .failure = result { lost(mount, file) }
                observe(result, begin, mount, "an fsync") { _, _ in
                    histories.synced(file, by: mount.name, since: begin)
                }
            }
        }
    }

    private func close(_ mount: SimulatedMount, _ file: Int) {
        perform("close of file \(file)", mount) { [self] begin in
            mount.client.flush(files[file]) { [self] result in
                if case .failure = result { lost(mount, file) }
                observe(result, begin, mount, "a close") { _, _ in }
                if hasLargeFiles { reopen(mount, file) }
            }
        }
    }

    /// While nobody on the mount has it open, its lease is left to readers.
    private func reopen(_ mount: SimulatedMount, _ file: Int) {
        mount.client.release(files[file]) { _ in }
        clock.schedule(after: .milliseconds(200)) { [self] in
            mount.process.run { [self] in mount.client.open(files[file], truncates: false) { _ in } }
        }
    }

    /// All of everything, by one mount.
    func readAll(_ mount: SimulatedMount) {
        for file in files.indices {
            read(mount, file, 0..<Self.cellCount)
            readSize(mount, file)
        }
        readLog(mount)
        list(mount)
    }

    // MARK: Names

    private func changeNames(_ mount: SimulatedMount) {
        let name = Self.names.randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1: create(mount, name)
        case 2: unlink(mount, name)
        case 3: rename(mount, name, to: Self.names.filter { $0 != name }.randomElement(using: &random) ?? "")
        case 4: list(mount)
        default: lookup(mount, name)
        }
    }

    /// - Parameter outcome: What is known of a call that has ended with this; nil if nothing is.
    private func noteChange<Value>(
        _ result: Result<Value, FileError>, _ begin: Int, _ mount: SimulatedMount, _ what: String,
        _ outcome: (Result<Value, FileError>) -> DirectoryModel.Operation?
    ) {
        guard let end = end(begin, by: mount) else { return }
        noteSessions()
        if let operation = outcome(result) {
            histories.endChange(begin)
            histories.observed(operation, begin, end)
        } else if !harmed.contains(mount.name), case .failure(let error) = result {
            complain("\(what) by \(mount.name) failed: \(error)")
        }
    }

    private func create(_ mount: SimulatedMount, _ name: String) {
        perform("create \(name)", mount) { [self] begin in
            let file = Client.NewFile(mode: FileKind.regular.rawValue | 0o644, uid: 0, gid: 0)
            histories.beginCreation(of: name, begin)
            mount.client.create(directory, Self.name(name), file) { [self] result in
                noteChange(result, begin, mount, "create") {
                    switch $0 {
                    case .success(let attributes): .create(name, attributes.inode)
                    case .failure(.exists): .create(name, nil)
                    case .failure: nil
                    }
                }
            }
        }
    }

    private func unlink(_ mount: SimulatedMount, _ name: String) {
        perform("unlink \(name)", mount) { [self] begin in
            histories.beginChange(.unlink(name, wasThere: true), begin)
            mount.client.unlink(directory, Self.name(name)) { [self] result in
                noteChange(result, begin, mount, "unlink") {
                    switch $0 {
                    case .success: .unlink(name, wasThere: true)
                    case .failure(.notFound): .unlink(name, wasThere: false)
                    case .failure: nil
                    }
                }
            }
        }
    }

    private func rename(_ mount: SimulatedMount, _ name: String, to target: String) {
        perform("rename \(name) to \(target)", mount) { [self] begin in
            histories.beginChange(.rename(name, to: target, wasThere: true), begin)
            mount.client.rename(directory, Self.name(name), to: directory, Self.name(target), .replace) {
                [self] result in
                noteChange(result, begin, mount, "rename") {
                    switch $0 {
                    case .success: .rename(name, to: target, wasThere: true)
                    case .failure(.notFound): .rename(name, to: target, wasThere: false)
                    case .failure: nil
                    }
                }
            }
        }
    }

    private func lookup(_ mount: SimulatedMount, _ name: String) {
        perform("lookup \(name)", mount) { [self] begin in
            mount.client.lookup(directory, Self.name(name)) { [self] result in
                observe(result, begin, mount, "a lookup") { histories.observed(.lookup(name, $0?.inode), begin, $1) }
            }
        }
    }

    private func list(_ mount: SimulatedMount) {
        perform("listing", mount) { [self] begin in
            mount.client.readDirectory(directory, after: 0, before: 0, limit: 1000, withAttributes: true) {
                [self] result in
                observe(result, begin, mount, "a listing") { listing, end in
                    let found = listing.entries.map { (String(decoding: $0.name.bytes, as: UTF8.self), $0.inode) }
                    histories.observed(
                        .list(Dictionary(found, uniquingKeysWith: { first, _ in first })), begin, end)
                }
            }
        }
    }
}
