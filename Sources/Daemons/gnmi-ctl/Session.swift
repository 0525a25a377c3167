import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2
import SwiftProtobuf

/// Carries out a command.
struct Session {
  let client: Gnmi_gNMI.Client<HTTP2ClientTransport.Posix>
  let options: Options

  func run(_ command: Command) async throws {
    switch command {
    case .capabilities:
      show("RESPONSE", try await client.capabilities(.init(), options: patience))
    case .get(let device, let key):
      let type = try dataType()
      let response = try await client.get(
        .with {
          $0.path = [device.path(key)]
          $0.encoding = .proto
          $0.type = type
        }, options: patience)
      show("Get Response from Server", response)
    case .set(let device, let parameters):
      for (key, value) in parameters { try await set(device, key, value) }
      say("Set request, successful...!!!")
    case .delete(let path):
      show(
        "RESPONSE", try await client.set(.with { $0.delete = [path] }, options: patience))
    case .onChange(let path):
      try await subscribe(
        .with {
          $0.mode = .onChange
          $0.path = path
        })
    case .sample(let path):
      try await subscribe(
        .with {
          $0.mode = .sample
          $0.sampleInterval = options.interval * 1_000_000
          $0.path = path
        })
    }
  }

  /// A server that is not there, or does not answer, is an error, not a wait.
  private var patience: CallOptions {
    var options = atOnce
    options.timeout = .seconds(30)
    return options
  }

  private var atOnce: CallOptions {
    var options = CallOptions.defaults
    options.waitForReady = false
    return options
  }

  private func set(_ device: Device, _ key: String, _ value: String) async throws {
    let update = Gnmi_Update.with {
      $0.path = device.path(key)
      if let number = Int64(value) {
        $0.val.intVal = number
      } else if key == "port-type", !device.isPhysical, value.lowercased() == "link" {
        // A link of a virtual device is a vhost port.
        $0.val.stringVal = "vhost"
      } else {
        $0.val.stringVal = value
      }
    }
    _ = try await client.set(
      .with {
        if options.replace { $0.replace = [update] } else { $0.update = [update] }
      }, options: patience)
  }

  private func dataType() throws -> Gnmi_GetRequest.DataType {
    switch options.getType {
    case "ALL": .all
    case "CONFIG": .config
    case "STATE": .state
    case "OPERATIONAL": .operational
    default: throw UsageError(reason: "--get_type is ALL, CONFIG, STATE or OPERATIONAL")
    }
  }

  /// Shows what changes from now on, until the server or the user ends it.
  private func subscribe(_ subscription: Gnmi_Subscription) async throws {
    let request = StreamingClientRequest<Gnmi_SubscribeRequest> { writer in
      try await writer.write(
        .with {
          $0.subscribe.mode = .stream
          $0.subscribe.updatesOnly = true
          $0.subscribe.encoding = .proto
          $0.subscribe.subscription = [subscription]
        })
    }
    try await client.subscribe(request: request, options: atOnce) { response in
      for try await message in response.messages { show("RESPONSE", message) }
    }
  }

  private func show(_ title: String, _ message: some Message) {
    say(title)
    say(message.textFormatString())
  }
}
