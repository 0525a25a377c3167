import ArgumentParser
import Foundation
import Parsers

#if PARSER_FUZZ
  import CLibFuzzer
#endif

/// Parsers of outside bytes, on their own: `scripts/parser-fuzz.sh` builds it for libFuzzer.
@main struct ParserFuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parser-fuzz", abstract: "Feeds bytes to a parser of outside bytes.",
    subcommands: [List.self, Seed.self, Replay.self, Run.self])

  static func parser(_ name: String) throws -> any OutsideParser.Type {
    guard let parser = OutsideParsers.all.first(where: { $0.name == name }) else {
      let names = OutsideParsers.all.map { $0.name }.joined(separator: ", ")
      throw ValidationError("\(name) is no parser; take one of \(names)")
    }
    return parser
  }
}

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Names the parsers.")

  func run() { for parser in OutsideParsers.all { print(parser.name) } }
}

struct Seed: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Writes good inputs into a folder.")
  @Argument var name: String
  @Argument var folder: String
  @Option(help: "The checkout.") var root = "."

  func run() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (i, bytes) in try ParserFuzz.parser(name).seeds(root: root).enumerated() {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/seed-\(i)"))
    }
  }
}

struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Parses files, as a finding is.")
  @Argument var name: String
  @Argument var files: [String]

  func run() throws {
    var parser = try ParserFuzz.parser(name).init()
    for file in files {
      let isTaken = parser.parse(Array(try Data(contentsOf: URL(fileURLWithPath: file))))
      print("\(file): \(isTaken ? "taken" : "refused")")
    }
  }
}

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs libFuzzer on a parser, with its arguments.")
  @Argument var name: String
  @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

  #if PARSER_FUZZ
    /// libFuzzer's callback carries no context.
    nonisolated(unsafe) private static var parser: (any OutsideParser)?

    func run() throws {
      Self.parser = try ParserFuzz.parser(name).init()
      var list: [UnsafeMutablePointer<CChar>?] = (["parser-fuzz"] + arguments).map { strdup($0) }
      var count = Int32(list.count)
      list.append(nil)
      let status = list.withUnsafeMutableBufferPointer { buffer in
        var start = buffer.baseAddress
        return LLVMFuzzerRunDriver(&count, &start) { data, size in
          _ = Run.parser?.parse(Array(UnsafeBufferPointer(start: data, count: size)))
          return 0
        }
      }
      throw ExitCode(status)
    }
  #else
    func run() throws {
      throw ValidationError("this build has no libFuzzer; take scripts/parser-fuzz.sh")
    }
  #endif
}
