import GRPCCore
import GRPCNIOTransportHTTP2
import Synchronization

/// Tells of a server's addresses only when they are others.
///
/// gRPC looks a name up again after each broken connection and takes what it finds for another
/// server also when it is the same (grpc-swift-nio-transport 2.9.2): two connections would be made
/// to it.
struct ServerNames<LookUp: NameResolverFactory & Sendable>: NameResolverFactory {
  private let lookUp: LookUp

  init(_ lookUp: LookUp) { self.lookUp = lookUp }

  func resolver(for target: LookUp.Target) -> NameResolver {
    var resolver = lookUp.resolver(for: target)
    resolver.names = RPCAsyncSequence(wrapping: Changes(of: resolver.names))
    return resolver
  }

  private struct Changes: AsyncSequence, Sendable {
    private let names: RPCAsyncSequence<NameResolutionResult, any Error>
    private let known = Known()

    init(of names: RPCAsyncSequence<NameResolutionResult, any Error>) { self.names = names }

    func makeAsyncIterator() -> Iterator {
      Iterator(answers: names.makeAsyncIterator(), known: known)
    }

    /// What was told last, by whichever iterator: a look-up that fails begins another.
    final class Known: Sendable {
      private let endpoints = Mutex<Set<Endpoint>>([])

      func isNew(_ found: Set<Endpoint>) -> Bool {
        endpoints.withLock { endpoints in
          defer { endpoints = found }
          return found != endpoints
        }
      }
    }

    struct Iterator: AsyncIteratorProtocol {
      var answers: RPCAsyncSequence<NameResolutionResult, any Error>.AsyncIterator
      let known: Known

      mutating func next() async throws -> NameResolutionResult? {
        try await next(isolation: nil)
      }

      mutating func next(
        isolation: isolated (any Actor)?
      ) async throws -> NameResolutionResult? {
        guard var found = try await answers.next(isolation: isolation) else { return nil }
        // An answer without addresses leaves the ones that are known.
        if !known.isNew(Set(found.endpoints)) { found.endpoints = [] }
        return found
      }
    }
  }
}

/// Those of the targets that ``Infrap4dOptions`` knows.
enum ServerNameRegistry {
  static var all: NameResolverRegistry {
    var registry = NameResolverRegistry()
    registry.registerFactory(ServerNames(NameResolvers.DNS()))
    registry.registerFactory(ServerNames(NameResolvers.IPv4()))
    registry.registerFactory(ServerNames(NameResolvers.IPv6()))
    registry.registerFactory(ServerNames(NameResolvers.UnixDomainSocket()))
    return registry
  }
}
