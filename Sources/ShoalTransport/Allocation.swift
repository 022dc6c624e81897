import Glibc

/// Keeps glibc from returning the memory of every large frame to the kernel and faulting it in again page by page:
/// blocks below 8 MiB come from the heap, and the heap keeps up to 32 MiB of free memory at its top.
enum Allocation {
    /// Done once per process, by whoever asks first. False with a C library that has no mallopt(3).
    static let isTuned: Bool = {
        // Swift's Glibc module leaves malloc.h out.
        typealias Mallopt = @convention(c) (_ parameter: CInt, _ value: CInt) -> CInt
        guard let symbol = dlsym(nil, "mallopt") else { return false }
        let mallopt = unsafeBitCast(symbol, to: Mallopt.self)
        let trimThreshold: CInt = -1
        let mmapThreshold: CInt = -3
        return mallopt(mmapThreshold, 8 << 20) == 1 && mallopt(trimThreshold, 32 << 20) == 1
    }()
}
