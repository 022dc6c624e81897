import ShoalTypes

/// Encodes or decodes a message, field by field, in one pass over the same description: a message's `code(_:)` names
/// its fields in order, and the coder writes or reads them. Integers are little-endian, byte strings and lists carry a
/// 32-bit count first.
///
/// Decoding trusts nothing: past the first field that does not fit, every read yields its zero value and `failed` stays
/// set; `WireMessage.init(decoding:)` then throws.
package struct WireCoder {
    private var written: [UInt8] = []
    private var remaining: UnsafeRawBufferPointer
    package let isDecoding: Bool
    package private(set) var failed = false

    package init(encodingReserving capacity: Int = 128) {
        isDecoding = false
        remaining = UnsafeRawBufferPointer(start: nil, count: 0)
        written.reserveCapacity(capacity)
    }

    /// `bytes` must outlive the coder.
    package init(decoding bytes: UnsafeRawBufferPointer) {
        isDecoding = true
        remaining = bytes
    }

    package var encoded: [UInt8] { written }
    package var isAtEnd: Bool { remaining.isEmpty }

    /// Marks what was decoded as out of its bounds.
    package mutating func fail() {
        failed = true
        remaining = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    @inline(__always)
    package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ value: inout T) {
        let size = MemoryLayout<T>.size
        if isDecoding {
            guard remaining.count >= size else {
                fail()
                value = 0
                return
            }
            value = T(littleEndian: remaining.loadUnaligned(as: T.self))
            remaining = UnsafeRawBufferPointer(rebasing: remaining[size...])
        } else {
            withUnsafeBytes(of: value.littleEndian) { written.append(contentsOf: $0) }
        }
    }

    @inline(__always)
    package mutating func number<T: TypedNumber>(_ value: inout T) where T.RawValue: BitwiseCopyable {
        var raw = value.rawValue
        integer(&raw)
        if isDecoding { value = T(raw) }
    }

    package mutating func boolean(_ value: inout Bool) {
        var raw: UInt8 = value ? 1 : 0
        integer(&raw)
        if raw > 1 { fail() }
        value = raw == 1
    }

    package mutating func double(_ value: inout Double) {
        var bits = value.bitPattern
        integer(&bits)
        if isDecoding { value = Double(bitPattern: bits) }
    }

    package mutating func enumeration<T: RawRepresentable>(_ value: inout T)
    where T.RawValue: FixedWidthInteger & BitwiseCopyable {
        var raw = value.rawValue
        integer(&raw)
        if isDecoding {
            if let decoded = T(rawValue: raw) { value = decoded } else { fail() }
        }
    }

    /// A byte string of at most `max` bytes.
    package mutating func bytes(_ value: inout [UInt8], max: Int) {
        var count = UInt32(value.count)
        integer(&count)
        if isDecoding {
            guard count <= max, Int(count) <= remaining.count else {
                fail()
                value = []
                return
            }
            value = Array(remaining[..<Int(count)])
            remaining = UnsafeRawBufferPointer(rebasing: remaining[Int(count)...])
        } else {
            precondition(value.count <= max, "a byte string is longer than its message allows")
            written.append(contentsOf: value)
        }
    }

    package mutating func string(_ value: inout String, max: Int) {
        var utf8 = isDecoding ? [] : Array(value.utf8)
        bytes(&utf8, max: max)
        if isDecoding {
            if let decoded = String(validating: utf8, as: UTF8.self) { value = decoded } else { fail() }
        }
    }

    /// A list of at most `max` elements; `minimumBytes` is the least that one takes, so that a hostile count allocates
    /// no more than its message could hold.
    package mutating func list<Element>(
        _ value: inout [Element], max: Int, minimumBytes: Int, blank: @autoclosure () -> Element,
        element: (inout WireCoder, inout Element) -> Void
    ) {
        var count = UInt32(value.count)
        integer(&count)
        if isDecoding {
            guard count <= max, Int(count) * minimumBytes <= remaining.count else {
                fail()
                value = []
                return
            }
            value = []
            value.reserveCapacity(Int(count))
            for _ in 0..<count {
                var next = blank()
                element(&self, &next)
                if failed { break }
                value.append(next)
            }
        } else {
            precondition(value.count <= max, "a list is longer than its message allows")
            for index in value.indices { element(&self, &value[index]) }
        }
    }

    package mutating func optional<Value>(
        _ value: inout Value?, blank: @autoclosure () -> Value, body: (inout WireCoder, inout Value) -> Void
    ) {
        var present = value != nil
        boolean(&present)
        guard present, !failed else {
            value = nil
            return
        }
        var inner = value ?? blank()
        body(&self, &inner)
        value = inner
    }
}

/// A message: one description of its fields serves both directions.
package protocol WireMessage: Sendable {
    init()
    mutating func code(_ coder: inout WireCoder)
}

extension WireMessage {
    package func encoded() -> [UInt8] {
        var coder = WireCoder(encodingReserving: 128)
        var copy = self
        copy.code(&coder)
        return coder.encoded
    }

    /// - Throws: `.malformed` if `bytes` is not exactly one such message.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var coder = WireCoder(decoding: bytes)
        self.init()
        code(&coder)
        guard !coder.failed, coder.isAtEnd else { throw .malformed }
    }

    package init(decoding bytes: [UInt8]) throws(WireError) {
        var coder: WireCoder?
        var message = Self()
        bytes.withUnsafeBytes { raw in
            var reader = WireCoder(decoding: raw)
            message.code(&reader)
            coder = reader
        }
        guard let coder, !coder.failed, coder.isAtEnd else { throw .malformed }
        self = message
    }
}
