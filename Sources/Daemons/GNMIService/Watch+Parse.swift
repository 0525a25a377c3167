import GNMIProtos

extension Watch {
  /// The longest interval that a client can ask for.
  private static let longestInterval = Duration.seconds(86_400)

  /// What a client subscribes to.
  ///
  /// - Throws: `invalidArgument` for paths and intervals that cannot be, `unimplemented`
  ///   for what this node does not have.
  static func parse(
    _ list: Gnmi_SubscriptionList, _ limits: GNMIService.Limits
  ) throws(GNMIError) -> [Watch] {
    try GNMIService.check(list.useModels)
    guard !list.subscription.isEmpty else {
      throw GNMIError(.invalidArgument, "the list has no subscription")
    }
    guard list.qos.marking == 0 else {
      throw GNMIError(.unimplemented, "qos: packets are not marked")
    }
    var watches: [Watch] = []
    for subscription in list.subscription {
      watches += try parse(subscription, list, limits)
    }
    return watches
  }

  private static func parse(
    _ subscription: Gnmi_Subscription, _ list: Gnmi_SubscriptionList,
    _ limits: GNMIService.Limits
  ) throws(GNMIError) -> [Watch] {
    let pattern = try PathPattern(subscription.path, prefix: list.prefix)
    var roles: Set<SchemaNode.Role> = []
    for node in try InterfaceSchema.root.nodes(matching: pattern, else: pattern.errorWhenRead) {
      roles.formUnion(node.roles)
    }
    let heartbeat =
      subscription.heartbeatInterval == 0
      ? nil : try interval(subscription.heartbeatInterval, "heartbeat_interval", limits)
    func watch(_ roles: Set<SchemaNode.Role>, _ trigger: Trigger) -> Watch {
      Watch(
        pattern, roles: roles, trigger: trigger, heartbeat: heartbeat,
        statusPoll: limits.statusPoll)
    }
    switch subscription.mode {
    case .onChange: return [watch(roles, .change)]
    case .sample:
      let interval =
        subscription.sampleInterval == 0
        ? limits.shortestSample
        : try interval(subscription.sampleInterval, "sample_interval", limits)
      return [
        watch(roles, .sample(interval, suppressRedundant: subscription.suppressRedundant))
      ]
    case .targetDefined:
      let counters = roles.intersection([.counter])
      return [
        watch(roles.subtracting(counters), .change),
        watch(counters, .sample(limits.counterSample, suppressRedundant: false)),
      ].filter { !$0.roles.isEmpty }
    case .UNRECOGNIZED(let number):
      throw GNMIError(
        .invalidArgument, "mode \(number) is not TARGET_DEFINED, ON_CHANGE or SAMPLE")
    }
  }

  private static func interval(
    _ nanoseconds: UInt64, _ field: String, _ limits: GNMIService.Limits
  ) throws(GNMIError) -> Duration {
    let interval = Int64(exactly: nanoseconds).map { Duration.nanoseconds($0) }
    guard let interval, (limits.shortestSample...longestInterval).contains(interval) else {
      throw GNMIError(
        .invalidArgument,
        "\(field) of \(nanoseconds) ns; it is \(limits.shortestSample) to \(longestInterval)")
    }
    return interval
  }
}
