import CLinux
import Glibc

/// Extended attributes, by path; `l` forms act on a symlink itself.
extension View {
    func setAttribute(_ name: Bytes, _ key: Bytes, _ value: Bytes, _ flags: CInt = 0, isLink: Bool = false) -> Outcome {
        let key = key.array + [0]
        return key.withUnsafeBufferPointer { key in
            value.array.withUnsafeBufferPointer { value in
                call(isLink ? "lsetxattr" : "setxattr", name) {
                    systemCall(
                        isLink ? SYS_lsetxattr : SYS_setxattr, $0, address(key.baseAddress!),
                        value.baseAddress.map { address($0) } ?? 0, value.count, Int(flags))
                }
            }
        }
    }

    /// - Parameter size: of the buffer; 0 asks for the value's size.
    func gettingAttribute(
        _ name: Bytes, _ key: Bytes, size: Int = 65536, isLink: Bool = false, into value: inout Bytes
    ) -> Outcome {
        let key = key.array + [0]
        var buffer = [UInt8](repeating: 0, count: max(size, 1))
        let outcome = key.withUnsafeBufferPointer { key in
            buffer.withUnsafeMutableBufferPointer { buffer in
                call(isLink ? "lgetxattr" : "getxattr", name) {
                    systemCall(
                        isLink ? SYS_lgetxattr : SYS_getxattr, $0, address(key.baseAddress!),
                        size == 0 ? 0 : address(buffer.baseAddress!), size)
                }
            }
        }
        if outcome.raw >= 0, size > 0 { value = Bytes(buffer[..<outcome.raw]) }
        return outcome
    }
    func gettingAttribute(_ name: Bytes, _ key: Bytes, size: Int = 65536, isLink: Bool = false) -> Outcome {
        var value: Bytes = ""
        return gettingAttribute(name, key, size: size, isLink: isLink, into: &value)
    }
    func attribute(_ name: Bytes, _ key: Bytes, isLink: Bool = false) throws(Verdict) -> Bytes {
        var value: Bytes = ""
        try gettingAttribute(name, key, isLink: isLink, into: &value).succeeds()
        return value
    }

    func listingAttributes(_ name: Bytes, size: Int, isLink: Bool = false, into list: inout Bytes) -> Outcome {
        var buffer = [UInt8](repeating: 0, count: max(size, 1))
        let outcome = buffer.withUnsafeMutableBufferPointer { buffer in
            call("listxattr", name) {
                systemCall(
                    isLink ? SYS_llistxattr : SYS_listxattr, $0, size == 0 ? 0 : address(buffer.baseAddress!), size)
            }
        }
        if outcome.raw >= 0, size > 0 { list = Bytes(buffer[..<outcome.raw]) }
        return outcome
    }
    /// The attributes' names, sorted; security labels that a kernel module may add are left out.
    func attributes(_ name: Bytes, isLink: Bool = false) throws(Verdict) -> [Bytes] {
        var list: Bytes = ""
        try listingAttributes(name, size: 65536, isLink: isLink, into: &list).succeeds()
        return list.array.split(separator: 0).map { Bytes($0) }.filter { $0 != "security.selinux" }
            .sorted { $0.text < $1.text }
    }

    func removeAttribute(_ name: Bytes, _ key: Bytes, isLink: Bool = false) -> Outcome {
        let key = key.array + [0]
        return key.withUnsafeBufferPointer { key in
            call("removexattr", name) {
                systemCall(isLink ? SYS_lremovexattr : SYS_removexattr, $0, address(key.baseAddress!))
            }
        }
    }
}

extension File {
    func setAttribute(_ key: Bytes, _ value: Bytes, _ flags: CInt = 0) -> Outcome {
        let key = key.array + [0]
        return key.withUnsafeBufferPointer { key in
            value.array.withUnsafeBufferPointer { value in
                Outcome(
                    "fsetxattr",
                    systemCall(
                        SYS_fsetxattr, Int(descriptor), address(key.baseAddress!),
                        value.baseAddress.map { address($0) } ?? 0, value.count, Int(flags)))
            }
        }
    }

    func attribute(_ key: Bytes) throws(Verdict) -> Bytes {
        let key = key.array + [0]
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = try key.withUnsafeBufferPointer { key in
            Outcome(
                "fgetxattr",
                systemCall(SYS_fgetxattr, Int(descriptor), address(key.baseAddress!), address(&buffer), 65536))
        }.succeeds()
        return Bytes(buffer[..<count])
    }
}
