/// Bob Jenkins' lookup3 over three words, as DPDK's `rte_jhash` (22.11,
/// rte_jhash.h) computes it over twelve bytes with initial value 0.
@inline(__always)
func jhash(_ k0: UInt32, _ k1: UInt32, _ k2: UInt32) -> UInt32 {
  @inline(__always) func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 {
    (x &<< n) | (x &>> (32 &- n))
  }
  var a = 0xDEAD_BEEF &+ 12 &+ k0
  var b = 0xDEAD_BEEF &+ 12 &+ k1
  var c = 0xDEAD_BEEF &+ 12 &+ k2
  c ^= b
  c = c &- rotate(b, 14)
  a ^= c
  a = a &- rotate(c, 11)
  b ^= a
  b = b &- rotate(a, 25)
  c ^= b
  c = c &- rotate(b, 16)
  a ^= c
  a = a &- rotate(c, 4)
  b ^= a
  b = b &- rotate(a, 14)
  c ^= b
  c = c &- rotate(b, 24)
  return c
}
