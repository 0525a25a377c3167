import GNMIPaths
import GNMIProtos

/// What to do, and with which device.
enum Command {
  case capabilities
  case get(Device, key: String?)
  case set(Device, [(key: String, value: String)])
  case delete(Gnmi_Path)
  case onChange(Gnmi_Path)
  case sample(Gnmi_Path)

  /// - Throws: ``UsageError``.
  init(_ words: [String]) throws {
    guard let verb = words.first else { throw UsageError(reason: "no command") }
    if verb == "cap" {
      self = .capabilities
      return
    }
    guard words.count == 2 else {
      throw UsageError(reason: "\(verb) takes one word of parameters; put it in quotes")
    }
    let (device, rest) = try Device.parse(words[1])
    switch verb {
    case "get":
      guard rest.count <= 1 else { throw UsageError(reason: "get takes one key") }
      self = .get(device, key: rest.first?.key)
    case "set":
      guard !rest.isEmpty else { throw UsageError(reason: "set needs a key and a value") }
      self = .set(
        device,
        try rest.map { parameter in
          guard let value = parameter.value else {
            throw UsageError(reason: "\(parameter.key) needs a value")
          }
          return (parameter.key, value)
        })
    case "del": self = .delete(try device.path(rest))
    case "sub-onchange": self = .onChange(try device.path(rest))
    case "sub-sample": self = .sample(try device.path(rest))
    default: throw UsageError(reason: "no command \(verb)")
    }
  }
}

/// The device that the parameters are about.
struct Device {
  typealias Parameter = (key: String, value: String?)

  var name: String
  /// A network interface that is there already.
  var isPhysical: Bool

  /// Takes `device:…,name:…` off the parameters. Key and value stand apart by `:` or `=`,
  /// parameters by commas or white space.
  static func parse(_ text: String) throws -> (Device, [Parameter]) {
    var parameters: [Parameter] = []
    for word in text.split(whereSeparator: { ", \t\r\n".contains($0) }) {
      // A path has both signs in it.
      let end = word.hasPrefix("/") ? nil : word.firstIndex { ":=".contains($0) }
      parameters.append(
        (
          String(word[..<(end ?? word.endIndex)]),
          end.map { String(word[word.index(after: $0)...]) }
        )
      )
    }
    guard parameters.count >= 2, parameters[0].key == "device", parameters[1].key == "name",
      let kind = parameters[0].value, ["virtual-device", "physical-device"].contains(kind),
      let name = parameters[1].value, !name.isEmpty
    else {
      throw UsageError(
        reason: "parameters begin with device:virtual-device,name:NAME or device:physical-device,…")
    }
    return (
      Device(name: name, isPhysical: kind == "physical-device"), Array(parameters.dropFirst(2))
    )
  }

  /// The device itself.
  var path: Gnmi_Path {
    .virtualInterface(name)
  }

  /// One of its leaves, or the device.
  func path(_ key: String?) -> Gnmi_Path {
    guard let key else { return path }
    var path = path
    path.elem += [.with { $0.name = "config" }, .with { $0.name = key }]
    return path
  }

  /// What is left of the parameters: a key, a whole path, or nothing for the device.
  func path(_ rest: [Parameter]) throws -> Gnmi_Path {
    guard rest.count <= 1 else { throw UsageError(reason: "one key or path at a time") }
    guard let text = rest.first?.key, text.hasPrefix("/") else { return path(rest.first?.key) }
    return try Gnmi_Path(parsing: text)
  }
}

extension Gnmi_Path {
  /// A path as `/a/b[key=value]/c`.
  init(parsing text: String) throws {
    self.init()
    var rest = text[...]
    while rest.popFirst() == "/" {
      guard !rest.isEmpty else { break }
      var element = Gnmi_PathElem()
      element.name = String(rest.prefix { !"/[".contains($0) })
      rest = rest.dropFirst(element.name.count)
      while rest.first == "[" {
        guard let end = rest.firstIndex(of: "]"), let equals = rest[..<end].firstIndex(of: "=")
        else { throw UsageError(reason: "\(text): a key is [name=value]") }
        let name = rest[rest.index(after: rest.startIndex)..<equals]
        element.key[String(name)] = String(rest[rest.index(after: equals)..<end])
        rest = rest[rest.index(after: end)...]
      }
      guard !element.name.isEmpty, rest.isEmpty || rest.first == "/" else {
        throw UsageError(reason: "\(text) is no path")
      }
      elem.append(element)
    }
  }
}
