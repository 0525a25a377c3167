import Core
import Foundation
import Testing

@testable import Replay

/// Names of pods and Services, as the agent tells them.
@Suite struct NodeNamesTests {
  private static let page = """
    {"pods":{"10.244.0.6":"default/client","10.244.0.7":"default/web-1","10.244.0.8":"other/web-1"},
     "services":{"10.96.0.80:80/TCP":"default/web","10.96.0.80:53/UDP":"default/web",
                 "10.96.0.81:80/TCP":"other/api"}}
    """

  private func names() throws -> NodeNames {
    try NodeNames(json: Data(Self.page.utf8), from: "page")
  }

  @Test func bothWays() throws {
    let names = try names()
    #expect(names.pod(IPv4Address(0x0AF4_0006)) == "default/client")
    #expect(try names.podAddress("client").description == "10.244.0.6")
    #expect(try names.podAddress("other/web-1").description == "10.244.0.8")
    #expect(try names.podAddress("10.9.9.9").description == "10.9.9.9")
    #expect(
      try names.serviceAddresses("web").map(\.description)
        == ["10.96.0.80:53/UDP", "10.96.0.80:80/TCP"])
    #expect(try names.serviceAddresses("nothing").isEmpty)
    let socket = K8sDP.Connection.Socket(IPv4Address(0x0A60_0050), 80)
    #expect(names.text(service: socket, .tcp) == "default/web:80")
    #expect(names.text(service: socket, .udp) == "10.96.0.80:80")
    #expect(names.book.services[0x0A60_0051] == "other/api")
  }

  @Test func whatIsNotClearIsAsked() throws {
    let names = try names()
    func message(_ body: () throws -> Void) throws -> String {
      try #require(throws: ReplayError.self) { try body() }.description
    }
    #expect(
      try message { _ = try names.podAddress("web-1") }
        == "web-1: is the name of several: default/web-1, other/web-1")
    #expect(
      try message { _ = try names.podAddress("web-9") }
        == "web-9: is neither an IPv4 address nor the name of a pod of this node")
    #expect(
      try message { _ = try NodeNames().podAddress("web-1") }.contains("give --names FILE"))
    #expect(
      try message { _ = try NodeNames(json: Data("[1]".utf8), from: "x.json") }
        == "x.json: is no names.json of an agent")
    #expect(
      try message { _ = try NodeNames(contentsOf: "/nowhere/names.json") }
        == "/nowhere/names.json: cannot be read; check the path and its permissions")
  }
}
