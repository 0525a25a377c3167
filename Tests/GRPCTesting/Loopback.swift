import GRPCCore
import GRPCNIOTransportHTTP2

extension HTTP2ClientTransport.Posix {
  /// A connection in plaintext to a server of this process that listens on `port` of 127.0.0.1.
  ///
  /// Calls wait until it stands. NIO looks at its timers before its sockets after a pause, so a
  /// machine that stood still for 10 s makes it give up a connection that the kernel has long made.
  public static func loopback(_ port: Int) throws -> Self {
    try .http2NIOPosix(
      target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext,
      serviceConfig: ServiceConfig(
        methodConfig: [MethodConfig(names: [.init(service: "")], waitForReady: true)]))
  }
}
