#if DPDK
  import Core
  import Foundation
  import Testing

  @testable import Replay

  /// Captures that nobody made for us, from the folder that K8SDP_CAPTURES names.
  private let folder = ProcessInfo.processInfo.environment["K8SDP_CAPTURES"]

  @Suite(.serialized, .enabled(if: folder != nil, "K8SDP_CAPTURES names no folder of captures"))
  struct ForeignCaptureTests {
    /// Both dataplanes agree on every frame, with pods and Services at the very
    /// addresses of the capture. What is no Ethernet capture is refused.
    @Test func bothAgreeOnEveryFrame() throws {
      let root = try #require(folder)
      let factory = DataplaneFactory.k8sDP(sizes: FixtureTests.sizes)
      var (files, frames, translated, refused) = (0, 0, 0, 0)
      for name in try FileManager.default.contentsOfDirectory(atPath: root).sorted() {
        let input = CaptureInput(port: 2, path: root + "/" + name)
        let state: StateFile
        do { state = try CaptureState(input).state } catch is ReplayError {
          refused += 1
          continue
        }
        let comparison: Comparison
        do throws(ReplayError) {
          comparison = try Comparer(run: ReplayRun(state: state, inputs: [input]))
            .compare("model", "dpdk", from: factory)
        } catch {
          #expect(error.place.contains(name), "\(error)")
          refused += 1
          continue
        }
        #expect(comparison.isEqual, "\(name): \(comparison.text)")
        files += 1
        frames += comparison.outcome.frames
        translated += comparison.left.forwarded.filter { $0.key > 2 }.values.reduce(0, +)
      }
      print(
        "\(files) captures, \(frames) frames, \(translated) of them to pods; \(refused) refused")
      #expect(files > 0)
    }
  }

  /// A node for a capture: its first addresses are pods, and what most first
  /// packets go to are Services in front of them.
  private struct CaptureState {
    let state: StateFile

    init(_ input: CaptureInput) throws {
      var addresses: [IPv4Address] = []
      var targets: [Target: Int] = [:]
      let reader = try CaptureReader(path: input.path)
      while let frame = try reader.next() {
        let layers = FrameLayers(frame.bytes)
        guard let ip = layers.ipv4 else { continue }
        for address in [ip.source, ip.destination]
        where !addresses.contains(address) && addresses.count < 64 {
          addresses.append(address)
        }
        guard let transport = TransportProtocol(rawValue: ip.transport), !ip.isFragment,
          let port = layers.u16(ip.header.upperBound + 2), port > 0
        else { continue }
        targets[Target(address: ip.destination, transport: transport, port: port), default: 0] += 1
      }
      var services: [Intent.Service] = []
      var taken: Set<IPv4Address> = []
      let common = targets.sorted { ($0.value, $1.key.port) > ($1.value, $0.key.port) }.prefix(8)
      for (target, _) in common where taken.insert(target.address).inserted {
        let endpoints = addresses.filter { $0 != target.address }.prefix(3)
          .map { Intent.Endpoint(address: $0, port: target.port ^ 0x101) }
        services.append(
          Intent.Service(
            name: "service-\(services.count)", clusterIP: target.address,
            ports: [
              Intent.ServicePort(
                transport: target.transport, port: target.port,
                endpoints: endpoints.filter { $0.port > 0 })
            ]))
      }
      let pods = addresses.filter { !taken.contains($0) }.enumerated().map { i, address in
        Intent.Interface(
          name: "pod-\(i)", ip: address, mac: MACAddress(0x0200_0000_0100 + UInt64(i)),
          port: PortID(3 + i))
      }
      state = StateFile(path: input.path, intent: Intent(pods: pods, services: services))
    }

    private struct Target: Hashable {
      var address: IPv4Address
      var transport: TransportProtocol
      var port: UInt16
    }
  }
#endif
