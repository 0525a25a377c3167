import Core
import P4RuntimeProtos

/// Counters, meters and registers, with the arrays that `p4c-dpdk` makes of them: `name_0` of
/// an instance `name`, or `name_0_packets` and `name_0_bytes` of a counter of both.
///
/// What P4Info has and the engine cannot do keeps the error with which it is refused.
extension P4Program {
  /// The counter of each entry of a table, with the registers that count by entry.
  public struct DirectCounter: Hashable, Sendable {
    public var name: String
    public var packets: String?
    public var bytes: String?
    /// The engine's actions that count.
    public var actions: Set<String>
  }

  /// The meter of each entry of a table, with the meters by entry.
  public struct DirectMeter: Hashable, Sendable {
    public var name: String
    public var meters: String
    public var kind: MeterKind
    /// The engine's actions that meter.
    public var actions: Set<String>
  }

  public struct Meter: Hashable, Sendable {
    public var id: UInt32
    public var name: String
    public var size: Int
    public var meters: String
    public var kind: MeterKind
  }

  /// What a meter is configured with (P4Runtime 1.4, 9.4).
  public enum MeterKind: Hashable, Sendable { case twoRateThreeColor, singleRateTwoColor }

  public struct Register: Hashable, Sendable {
    public var id: UInt32
    public var name: String
    public var size: Int
    /// 1...64.
    public var bits: Int
    public var registers: String
    /// The greatest value.
    public var maximum: UInt64 { P4Program.maximum(bits) }
  }

  /// An array of the spec by the name of what it was made of.
  private func array(_ name: String, _ suffix: String = "", of names: [String]) -> String? {
    let short = Self.shortName(name)
    return names.first {
      $0.hasSuffix(suffix) && Self.isCopy(String($0.dropLast(suffix.count)), of: short)
    }
  }

  /// The arrays of a counter's packets and bytes.
  private func arrays(
    _ name: String, _ unit: P4_Config_V1_CounterSpec.Unit, of names: [String]
  ) -> (packets: String?, bytes: String?) {
    let packets =
      unit == .bytes
      ? nil : array(name, "_packets", of: names) ?? array(name, of: names)
    let bytes =
      unit == .packets
      ? nil
      : array(name, "_bytes", of: names) ?? (unit == .bytes ? array(name, of: names) : nil)
    return (packets, bytes)
  }

  mutating func bindCounters() throws(P4Error) {
    for counter in info.counters {
      let name = counter.preamble.name
      let (packets, bytes) = arrays(name, counter.spec.unit, of: spec.registers.map(\.name))
      let sizes = spec.registers.filter { [packets, bytes].contains($0.name) }.map(\.size)
      guard !sizes.isEmpty, counter.size > 0, sizes.allSatisfy({ $0 >= counter.size })
      else { throw Self.mismatch("counter \(name)") }
      counters[counter.preamble.id] = Counter(
        id: counter.preamble.id, name: name, size: Int(counter.size), packets: packets,
        bytes: bytes)
    }
  }

  mutating func bindDirectResources() {
    for counter in info.directCounters {
      let name = counter.preamble.name
      let bound: Result<DirectCounter, P4Error> = bind(name, counter.directTableID) { names in
        let (packets, bytes) = arrays(name, counter.spec.unit, of: names)
        guard packets != nil || bytes != nil else { return nil }
        return DirectCounter(
          name: name, packets: packets, bytes: bytes,
          actions: actions(using: [packets, bytes].compactMap(\.self)))
      }
      tables[counter.directTableID]?.directCounter = bound
    }
    for meter in info.directMeters {
      let name = meter.preamble.name
      let bound: Result<DirectMeter, P4Error> = kind(of: meter.spec, name).flatMap { kind in
        bind(name, meter.directTableID) { names in
          array(name, of: names).map {
            DirectMeter(name: name, meters: $0, kind: kind, actions: actions(using: [$0]))
          }
        }
      }
      tables[meter.directTableID]?.directMeter = bound
    }
  }

  /// - Parameter find: what a resource is among the arrays that a table's actions index by
  ///   entry.
  private func bind<Resource>(
    _ name: String, _ table: UInt32, _ find: ([String]) -> Resource?
  ) -> Result<Resource, P4Error> {
    guard let engine = spec.tables.first(where: { $0.name == tables[table]?.engineTable }) else {
      return .failure(
        P4Error(
          .unimplemented,
          "\(name): the engine does not tell when a flow it has learned takes the place of "
            + "another, so its counts would be those of both"))
    }
    guard let resource = find(spec.entryArrays(of: engine).sorted()) else {
      return .failure(P4Error(.unimplemented, "\(name) is not used by the pipeline's spec"))
    }
    return .success(resource)
  }

  private func actions(using arrays: [String]) -> Set<String> {
    Set(spec.actions.filter { !spec.entryArrays(of: $0).isDisjoint(with: arrays) }.map(\.name))
  }

  private func kind(
    of meter: P4_Config_V1_MeterSpec, _ name: String
  ) -> Result<MeterKind, P4Error> {
    switch meter.type {
    case .twoRateThreeColor: .success(.twoRateThreeColor)
    case .singleRateTwoColor: .success(.singleRateTwoColor)
    default:
      .failure(
        P4Error(.unimplemented, "\(name): the engine has meters of RFC 2698 only, with two rates"))
    }
  }

  mutating func bindMeters() {
    let names = spec.meters.map(\.name)
    for meter in info.meters {
      let name = meter.preamble.name
      meters[meter.preamble.id] = kind(of: meter.spec, name).flatMap { kind in
        guard let array = array(name, of: names), meter.size > 0,
          spec.meters.contains(where: { $0.name == array && $0.size >= meter.size })
        else { return .failure(Self.unused(name)) }
        return .success(
          Meter(
            id: meter.preamble.id, name: name, size: Int(meter.size), meters: array, kind: kind))
      }
    }
  }

  mutating func bindRegisters() {
    let names = spec.registers.map(\.name)
    for register in info.registers {
      let name = register.preamble.name
      let bits = Int(register.typeSpec.bitstring.bit.bitwidth)
      guard case .bitstring(let type)? = register.typeSpec.typeSpec,
        case .bit? = type.typeSpec, (1...64).contains(bits)
      else {
        registers[register.preamble.id] = .failure(
          P4Error(
            .unimplemented, "\(name): only registers of bit<1> to bit<64> are served"))
        continue
      }
      guard let array = array(name, of: names), register.size > 0,
        spec.registers.contains(where: { $0.name == array && $0.size >= register.size })
      else {
        registers[register.preamble.id] = .failure(Self.unused(name))
        continue
      }
      registers[register.preamble.id] = .success(
        Register(
          id: register.preamble.id, name: name, size: Int(register.size), bits: bits,
          registers: array))
    }
  }

  private static func unused(_ name: String) -> P4Error {
    P4Error(.unimplemented, "the pipeline's spec has no array for \(name)")
  }
}
