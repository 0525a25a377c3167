#if DPDK
  import CSWX
  import Core
  import Glibc

  /// Owns one pipeline of the C shim.
  final class SWXEngine {
    let pointer: OpaquePointer
    /// Action ids of the engine → names.
    let actions: [String]
    private(set) var tableIndex: [String: UInt32] = [:]
    private(set) var selectorIndex: [String: UInt32] = [:]
    private(set) var actionIndex: [String: UInt32] = [:]

    /// Starts DPDK if need be and builds a pipeline.
    ///
    /// - Throws: ``DataplaneError/Code/unavailable`` when DPDK does not start,
    ///   ``DataplaneError/Code/resourceExhausted`` when memory is short,
    ///   ``DataplaneError/Code/invalidArgument`` for what the engine refuses.
    init(_ spec: PipelineSpec, ports: Int, memory: UInt32) throws(DataplaneError) {
      let started = cswx_start(memory)
      guard started == 0 else {
        let cure =
          started == -ENOMEM
          ? "; it wants \(memory) MB of address space: raise the limit or lower memoryMegabytes"
          : ""
        throw DataplaneError(
          .unavailable, "DPDK", "the environment did not start: \(SWXEngine.text(started))\(cure)")
      }
      guard let pointer = cswx_create(UInt32(ports)) else {
        throw DataplaneError(.resourceExhausted, spec.source, "no memory for a pipeline")
      }
      self.pointer = pointer
      actions = spec.actions.map(\.name)
      for (i, item) in spec.tables.enumerated() { tableIndex[item.name] = UInt32(i) }
      for (i, item) in spec.selectors.enumerated() { selectorIndex[item.name] = UInt32(i) }
      for (i, item) in spec.actions.enumerated() { actionIndex[item.name] = UInt32(i) }
      try SWXLoader(spec: spec, pipeline: pointer).load()
    }

    deinit { cswx_free(pointer) }

    /// What a negative result of the shim means.
    static func text(_ status: Int32) -> String {
      "\(String(cString: strerror(-status))) (\(status))"
    }
  }

  /// Configures a pipeline from a spec, in the order that the engine wants.
  struct SWXLoader {
    let spec: PipelineSpec
    let pipeline: OpaquePointer

    func load() throws(DataplaneError) {
      for item in spec.registers {
        try check(
          cswx_registers(pipeline, item.name, UInt32(item.size), item.initial), item.name, item.line
        )
      }
      for item in spec.meters {
        try check(cswx_meters(pipeline, item.name, UInt32(item.size)), item.name, item.line)
      }
      for item in spec.structs {
        for field in item.fields { try push(CSWX_FIELDS, field.name, UInt32(field.bits)) }
        let isVariable: Int32 = item.fields.last?.isVariable == true ? 1 : 0
        try check(cswx_struct(pipeline, item.name, isVariable), item.name, item.line)
      }
      for item in spec.headers {
        try check(cswx_header(pipeline, item.name, item.type), item.name, item.line)
      }
      try check(cswx_metadata(pipeline, spec.metadata), spec.metadata, 1)
      for item in spec.actions {
        try push(item.instructions)
        let status = withOptional(item.arguments) { cswx_action(pipeline, item.name, $0) }
        try check(status, item.name, item.line)
      }
      for item in spec.tables { try load(item) }
      for item in spec.selectors { try load(item) }
      for item in spec.learners { try load(item) }
      try push(spec.apply)
      try check(cswx_apply(pipeline), "apply", spec.apply.first?.line ?? 1)

      let headerBytes = spec.headers.reduce(0) { $0 + (spec.structure($1.type)?.bytes ?? 0) }
      let status = cswx_build(
        pipeline, UInt32(spec.headers.count), UInt32(headerBytes), UInt32(spec.metadataBytes))
      guard status == 0 else {
        let isMemory = status == -ENODEV || status == -ENOMEM
        throw DataplaneError(
          isMemory ? .resourceExhausted : .unavailable, spec.source,
          isMemory
            ? "the tables do not fit into DPDK's memory; raise memoryMegabytes"
            : "the engine did not build the pipeline: \(SWXEngine.text(status))")
      }
    }

    private func load(_ item: PipelineSpec.Table) throws(DataplaneError) {
      for field in item.key {
        let kind: UInt32 = field.match == .exact ? 0 : field.match == .wildcard ? 1 : 2
        try push(CSWX_FIELDS, field.field, kind)
      }
      try push(item.actions)
      let arguments = arguments(item.defaultAction)
      let status = withOptional(arguments) { arguments in
        withOptional(item.hash) { hash in
          withOptional(item.type) { type in
            cswx_table(
              pipeline, item.name, item.defaultAction.name, arguments,
              item.defaultAction.isConstant ? 1 : 0, hash, type, UInt32(item.size))
          }
        }
      }
      try check(status, item.name, item.line)
    }

    private func load(_ item: PipelineSpec.Learner) throws(DataplaneError) {
      for field in item.key { try push(CSWX_FIELDS, field) }
      try push(item.actions)
      for seconds in item.timeouts { try push(CSWX_TIMEOUTS, "", seconds) }
      let arguments = arguments(item.defaultAction)
      let status = withOptional(arguments) { arguments in
        withOptional(item.hash) { hash in
          cswx_learner(
            pipeline, item.name, item.defaultAction.name, arguments,
            item.defaultAction.isConstant ? 1 : 0, hash, UInt32(item.size))
        }
      }
      try check(status, item.name, item.line)
    }

    private func load(_ item: PipelineSpec.Selector) throws(DataplaneError) {
      // rte_swx_table_selector.c addresses groups wrongly otherwise.
      guard item.maximumGroups.nonzeroBitCount == 1, item.maximumMembers.nonzeroBitCount == 1 else {
        throw DataplaneError(
          .unimplemented, "\(spec.source):\(item.line)",
          "the engine handles only powers of two as n_groups_max and n_members_per_group_max")
      }
      for field in item.fields { try push(CSWX_FIELDS, field) }
      let status = cswx_selector(
        pipeline, item.name, item.group, item.member, UInt32(item.maximumGroups),
        UInt32(item.maximumMembers))
      try check(status, item.name, item.line)
    }

    /// A default action's arguments as the engine reads them.
    private func arguments(_ action: PipelineSpec.DefaultAction) -> String? {
      guard let definition = spec.action(action.name), !action.arguments.isEmpty else { return nil }
      return zip(spec.arguments(of: definition), action.arguments)
        .map { "\($0.name) \($1)" }.joined(separator: " ")
    }

    private func push(_ actions: [PipelineSpec.ActionReference]) throws(DataplaneError) {
      for action in actions {
        try push(
          CSWX_ACTIONS, action.name, action.scope == .defaultOnly ? 0 : 1,
          action.scope == .tableOnly ? 0 : 1)
      }
    }

    private func push(_ code: [PipelineSpec.Instruction]) throws(DataplaneError) {
      for instruction in code { try push(CSWX_CODE, instruction.text) }
    }

    private func push<List: BinaryInteger>(
      _ list: List, _ text: String, _ a: UInt32 = 0, _ b: UInt32 = 0
    ) throws(DataplaneError) {
      let status = cswx_push(pipeline, Int32(list), text, a, b)
      guard status == 0 else {
        throw DataplaneError(
          .resourceExhausted, text, "no memory for it: \(SWXEngine.text(status))")
      }
    }

    private func check(_ status: Int32, _ name: String, _ line: Int) throws(DataplaneError) {
      guard status == 0 else {
        throw DataplaneError(
          .invalidArgument, "\(spec.source):\(line)",
          "the engine refuses '\(name)': \(SWXEngine.text(status))")
      }
    }

    private func withOptional(
      _ text: String?, _ body: (UnsafePointer<CChar>?) -> Int32
    ) -> Int32 {
      guard let text else { return body(nil) }
      return text.withCString { body($0) }
    }
  }
#endif
