#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The number of the fault that happens; 0 is none.
@usableFromInline nonisolated(unsafe) var activeFault =
  getenv("K8SDP_FAULT").flatMap { Int(String(cString: $0)) } ?? 0

public func currentFault() -> Int { activeFault }

public func selectFault(_ number: Int) { activeFault = number }

@inlinable @inline(__always)
public func faulty(_ number: Int) -> Bool { activeFault == number }

@inlinable @inline(__always)
public func fault<T>(_ number: Int, _ right: T, _ wrong: T) -> T {
  activeFault == number ? wrong : right
}

