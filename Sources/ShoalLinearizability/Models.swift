import ShoalTypes

/// A run of bytes that is written and read as a whole.
package enum RegisterModel: SequentialModel {
    package enum Operation: Equatable {
        case write(UInt64)
        case read(UInt64)
    }

    package static func apply(_ operation: Operation, to state: UInt64) -> UInt64? {
        switch operation {
        case .write(let value): value
        case .read(let value): value == state ? state : nil
        }
    }

    /// What nobody has read was written over at once, or last.
    package static func canBeSpared(_ operation: Operation, among others: [Operation]) -> Bool {
        switch operation {
        case .read: true
        case .write(let value): !others.contains(.read(value))
        }
    }
}

/// The length of a file.
package enum SizeModel: SequentialModel {
    package enum Operation: Equatable {
        /// A write that ends there.
        case extend(UInt64)
        case set(UInt64)
        case read(UInt64)
    }

    package static func apply(_ operation: Operation, to state: UInt64) -> UInt64? {
        switch operation {
        case .extend(let end): max(end, state)
        case .set(let size): size
        case .read(let size): size == state ? state : nil
        }
    }

    package static func canBeSpared(_ operation: Operation, among others: [Operation]) -> Bool {
        if case .read = operation { true } else { false }
    }
}

/// A number that is only counted up, by one who has found the number before; or a log, by one who has found a record of
/// theirs behind so many others.
package enum CounterModel: SequentialModel {
    package enum Operation: Equatable {
        case increment(before: UInt64)
        case read(UInt64)
    }

    package static func apply(_ operation: Operation, to state: UInt64) -> UInt64? {
        switch operation {
        case .increment(let before): before == state ? state + 1 : nil
        case .read(let value): value == state ? state : nil
        }
    }

    package static func canBeSpared(_ operation: Operation, among others: [Operation]) -> Bool {
        if case .read = operation { true } else { false }
    }
}

/// A file that is only appended to, by records of one length.
package enum LogModel: SequentialModel {
    package enum Operation: Equatable {
        case append(UInt64)
        case count(Int)
        case read([UInt64])
    }

    package static func apply(_ operation: Operation, to state: [UInt64]) -> [UInt64]? {
        switch operation {
        case .append(let record): state + [record]
        case .count(let count): count == state.count ? state : nil
        case .read(let records): records == state ? state : nil
        }
    }

    package static func canBeSpared(_ operation: Operation, among others: [Operation]) -> Bool {
        if case .append = operation { false } else { true }
    }
}

/// The names in one directory.
package enum DirectoryModel: SequentialModel {
    package enum Operation: Equatable {
        /// Nil: the name existed.
        case create(String, InodeID?)
        case unlink(String, wasThere: Bool)
        /// What `to` named before is replaced.
        case rename(String, to: String, wasThere: Bool)
        /// A rename through a kernel, which looks up both names, one after the other, and is done if they are of one file
        /// (rename(2)): so it has done nothing if another has moved the file in between.
        case renameUnlessMoved(String, to: String)
        case lookup(String, InodeID?)
        case list([String: InodeID])
    }

    package static func apply(_ operation: Operation, to state: [String: InodeID]) -> [String: InodeID]? {
        var after = state
        switch operation {
        case .create(let name, let inode):
            guard (state[name] == nil) == (inode != nil) else { return nil }
            if let inode { after[name] = inode }
        case .unlink(let name, let wasThere):
            guard (state[name] != nil) == wasThere else { return nil }
            after[name] = nil
        case .rename(let name, let target, let wasThere):
            guard (state[name] != nil) == wasThere else { return nil }
            if wasThere {
                after[name] = nil
                after[target] = state[name]
            }
        case .renameUnlessMoved(let name, let target):
            if let inode = state[name] {
                after[name] = nil
                after[target] = inode
            } else if state[target] == nil {
                return nil
            }
        case .lookup(let name, let inode): guard state[name] == inode else { return nil }
        case .list(let names): guard names == state else { return nil }
        }
        return after
    }

    package static func canBeSpared(_ operation: Operation, among others: [Operation]) -> Bool {
        switch operation {
        case .create(_, nil), .unlink(_, wasThere: false), .rename(_, to: _, wasThere: false), .lookup, .list: true
        case .create, .unlink, .rename, .renameUnlessMoved: false
        }
    }
}
