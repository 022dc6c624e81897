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
}

/// The names in one directory.
package enum DirectoryModel: SequentialModel {
    package enum Operation: Equatable {
        /// Nil: the name existed.
        case create(String, InodeID?)
        case unlink(String, wasThere: Bool)
        /// What `to` named before is replaced.
        case rename(String, to: String, wasThere: Bool)
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
        case .lookup(let name, let inode): guard state[name] == inode else { return nil }
        case .list(let names): guard names == state else { return nil }
        }
        return after
    }
}
