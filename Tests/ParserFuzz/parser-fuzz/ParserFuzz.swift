#if !PARSER_FUZZ
  import ArgumentParser
  import Foundation
  import Parsers

  /// Parsers of outside bytes, one at a time. Built for libFuzzer by `scripts/parser-fuzz.sh`,
  /// it is what libFuzzer drives instead.
  @main struct ParserFuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "parser-fuzz", abstract: "Feeds bytes to a parser of outside bytes.",
      subcommands: [List.self, Seed.self, Parse.self])

    static func parser(_ name: String) throws -> any OutsideParser.Type {
      guard let parser = OutsideParsers.named(name) else {
        throw ValidationError("\(name) is no parser; take one of \(OutsideParsers.names)")
      }
      return parser
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Names the parsers.")

    func run() { for parser in OutsideParsers.all { print(parser.name) } }
  }

  struct Seed: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes good inputs into a folder.")
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

  struct Parse: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Parses files, such as the one that libFuzzer left.")
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
#endif
