// swift-tools-version: 6.1
import PackageDescription

/// The part of the package that scripts build for themselves: both dataplanes and the tests
/// that compare them.
let package = Package(
  name: "k8s-infra-offload",
  traits: [.default(enabledTraits: ["DPDK"]), .trait(name: "DPDK")],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    .target(
      name: "Core",
      dependencies: [.product(name: "HashTreeCollections", package: "swift-collections")]),
    .target(name: "SimDataplane", dependencies: ["Core"]),
    .target(
      name: "K8sDPArtefacts", path: "k8s_dp", sources: ["K8sDPArtefacts.swift"],
      resources: [
        .embedInCode("k8s_dp.spec"), .embedInCode("p4Info.txt"), .embedInCode("context.json"),
        .embedInCode("tdi.json"),
      ]),
    .target(
      name: "CSWX", path: "Sources/DPDKDataplane/CSWX", exclude: ["links"],
      cSettings: [
        .headerSearchPath("links/dpdk-x86_64"), .headerSearchPath("links/dpdk-aarch64"),
        .headerSearchPath("links/dpdk"), .define("ALLOW_EXPERIMENTAL_API"),
        .define("K8SDP_WITH_DPDK"),
      ],
      linkerSettings: [
        "rte_pipeline", "rte_table", "rte_port", "rte_ethdev", "rte_mbuf", "rte_mempool",
        "rte_ring", "rte_eal",
      ].map { .linkedLibrary($0) }),
    .target(name: "DPDKDataplane", dependencies: ["Core", "CSWX"], exclude: ["CSWX"]),
    .systemLibrary(name: "CPcap", path: "Sources/Replay/CPcap", pkgConfig: "libpcap"),
    .target(
      name: "Replay",
      dependencies: [
        "ChildProcess", "Core", "SimDataplane", "K8sDPArtefacts", "CPcap", "DPDKDataplane",
        .product(name: "Yams", package: "Yams"), .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["CPcap"]),
    .target(name: "CChildProcess", path: "Sources/Daemons/ChildProcess/CChildProcess"),
    .target(
      name: "ChildProcess", dependencies: ["CChildProcess"], path: "Sources/Daemons/ChildProcess",
      exclude: ["CChildProcess"]),
    .target(name: "NodeTesting", dependencies: ["ChildProcess"], path: "Tests/NodeTesting"),
    .testTarget(name: "CoreTests", dependencies: ["Core", "K8sDPArtefacts", "NodeTesting"]),
    .testTarget(name: "SimDataplaneTests", dependencies: ["SimDataplane", "Core"]),
    .testTarget(
      name: "ReplayTests",
      dependencies: [
        "Replay", "Core", "SimDataplane", "K8sDPArtefacts", "NodeTesting", "DPDKDataplane",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
