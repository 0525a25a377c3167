import Core

/// `.pb.bin`: what a controller pushes, read without protobuf's library.
public struct BundleParser: OutsideParser {
  public static let name = "bundle"
  public init() {}

  public static func seeds(root: String) throws -> [[UInt8]] {
    [try Seeds.read(root + "/k8s_dp/k8s_dp.pb.bin"), [0x1A, 4, 0x1A, 2, 0x0A, 0x0A]]
  }

  public func parse(_ bytes: [UInt8]) -> Bool { (try? PipelineSpec(bundle: bytes)) != nil }
}
