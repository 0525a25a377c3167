import Core
import Netlink
import Testing

struct PrefixTests {
  @Test(arguments: [
    ("10.244.0.6", "10.244.0.6/32"), ("10.244.0.6/24", "10.244.0.6/24"), ("0.0.0.0/0", "0.0.0.0/0"),
  ])
  func reads(_ text: String, _ expected: String) {
    #expect(IPv4Prefix(text)?.description == expected)
  }

  @Test(arguments: [
    "", "/", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/+8", "10.0.0.1/8/8", "fd00::1/64",
    "10.0.0/8", "10.0.0.1 /8", "10.0.0.1/٣",
  ])
  func refuses(_ text: String) { #expect(IPv4Prefix(text) == nil) }

  @Test func network() {
    #expect(IPv4Prefix("10.244.3.6/22")?.network.description == "10.244.0.0/22")
    #expect(IPv4Prefix("10.244.3.6/0")?.network.description == "0.0.0.0/0")
    #expect(IPv4Prefix("10.244.3.6/32")?.network.description == "10.244.3.6/32")
  }

  @Test(arguments: ["", ".", "..", "a/b", "a b", "a:b", "sixteen-letters-", "a\nb", "a\0"])
  func misnomers(_ name: String) { #expect(Link.misnomer(name) != nil) }

  @Test func names() {
    #expect(Link.misnomer("eth0") == nil && Link.misnomer("fifteen-letters") == nil)
  }
}
