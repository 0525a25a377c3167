import Core
import Foundation
import K8sDPArtefacts

/// A pipeline in a file: a `.spec`, or a `.pb.bin` with one inside.
public enum PipelineFile {
  /// The `k8s_dp` inside this program.
  static func k8sDP() throws(ReplayError) -> PipelineSpec {
    do throws(DataplaneError) { return try PipelineSpec(parsing: K8sDPArtefacts.spec) } catch {
      throw ReplayError(error.entity, error.message)
    }
  }

  /// - Throws: ``ReplayError`` with file and line.
  public static func read(_ path: String) throws(ReplayError) -> PipelineSpec {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw ReplayError(path, "cannot be read; check the name and its permissions")
    }
    do throws(DataplaneError) {
      if path.hasSuffix(".spec") {
        return try PipelineSpec(parsing: String(decoding: data, as: UTF8.self), file: path)
      }
      return try PipelineSpec(bundle: [UInt8](data), file: path)
    } catch {
      throw ReplayError(error.entity, error.message)
    }
  }
}
