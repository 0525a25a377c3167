import Core
import Crypto
import Foundation
import Logging
import StateDirectory

/// The records of all pods, in memory and in a folder, a file each.
actor PodRecords {
  private let directory: StateDirectory
  private var records: [PodInterface: PodRecord] = [:]

  /// Reads what is in the folder. A file that cannot be used is put aside.
  init(_ path: String, logger: Logger) throws(CNIBackendError) {
    do {
      directory = try StateDirectory(path, logger: logger)
    } catch {
      throw CNIBackendError(.record, "\(error)")
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasSuffix(Self.suffix) {
      do {
        let record = try PodRecord(
          bytes: Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
        records[record.interface] = record
      } catch {
        directory.setAside(name, "\(error)")
      }
    }
  }

  var all: [PodRecord] { Array(records.values) }
  var taps: Set<String> { Set(records.values.map(\.tap)) }

  subscript(interface: PodInterface) -> PodRecord? { records[interface] }

  func holder(of address: IPv4Address) -> PodRecord? {
    records.values.first { $0.request.address == address }
  }

  /// Writes a record, which survives this process when this returns; after a crash of the
  /// machine there are no pods.
  ///
  /// - Throws: ``CNIBackendError/Code/addressInUse`` when another pod's record has the address.
  func keep(_ record: PodRecord) throws(CNIBackendError) {
    let address = record.request.address
    if let other = holder(of: address), other.interface != record.interface {
      throw CNIBackendError(
        .addressInUse,
        "\(address) is the address of \(other.interface); delete that pod or take another address")
    }
    do {
      try directory.replace(Self.file(record.interface), with: record.bytes, isDurable: false)
    } catch {
      throw CNIBackendError(.record, "the pod's record was not written: \(error)")
    }
    records[record.interface] = record
  }

  func remove(_ interface: PodInterface) throws(CNIBackendError) {
    let path = directory.path + "/" + Self.file(interface)
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch CocoaError.fileNoSuchFile {
    } catch {
      throw CNIBackendError(.record, "the pod's record was not removed: \(error)")
    }
    records[interface] = nil
  }

  private static let suffix = ".json"

  /// A path may be longer than the name of a file, and its last part the same for all
  /// pods (`/proc/PID/ns/net`).
  private static func file(_ interface: PodInterface) -> String {
    let digest = SHA256.hash(data: Data("\(interface.netns)\0\(interface.name)".utf8))
    return digest.prefix(16).map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined() + suffix
  }
}
