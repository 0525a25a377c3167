// swift-tools-version: 6.1
import PackageDescription

/// Everything that needs libdpdk hangs on this trait, which is on by default.
/// `swift build --disable-default-traits` builds the model, the replay library
/// and `k8sdp` without it.
let dpdk: Target.Dependency = .target(name: "DPDKDataplane", condition: .when(traits: ["DPDK"]))

let package = Package(
  name: "k8s-infra-offload",
  products: [
    .library(name: "Core", targets: ["Core"]),
    .library(name: "SimDataplane", targets: ["SimDataplane"]),
    .library(name: "DPDKDataplane", targets: ["DPDKDataplane"]),
    .library(name: "Replay", targets: ["Replay"]),
    .executable(name: "k8sdp", targets: ["k8sdp"]),
  ],
  traits: [
    .default(enabledTraits: ["DPDK"]),
    .trait(name: "DPDK", description: "The dataplane on DPDK's SWX pipeline (needs libdpdk-dev)"),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    .target(name: "Core"),
    .target(name: "SimDataplane", dependencies: ["Core"]),

    .target(
      name: "K8sDPArtefacts",
      path: "k8s_dp",
      exclude: [
        "artefacts.sha256", "compile.sh", "context.json", "k8s_dp.conf", "k8s_dp.p4",
        "k8s_dp.pb.bin", "p4Info.txt", "pack.py", "tdi.json",
      ],
      sources: ["K8sDPArtefacts.swift"],
      resources: [.embedInCode("k8s_dp.spec")]
    ),

    // libdpdk's pkg-config file does not parse in SwiftPM, so its two include
    // folders are reached through links; no unsafe flag is needed.
    .target(
      name: "CSWX",
      path: "Sources/DPDKDataplane/CSWX",
      exclude: ["links"],
      cSettings: [
        .headerSearchPath("links/dpdk-x86_64"),
        .headerSearchPath("links/dpdk-aarch64"),
        .headerSearchPath("links/dpdk"),
        .define("ALLOW_EXPERIMENTAL_API"),
        .define("K8SDP_WITH_DPDK", .when(traits: ["DPDK"])),
      ],
      linkerSettings: [
        "rte_pipeline", "rte_table", "rte_port", "rte_ethdev", "rte_mbuf",
        "rte_mempool", "rte_ring", "rte_eal",
      ].map { .linkedLibrary($0, .when(traits: ["DPDK"])) }
    ),
    .target(
      name: "DPDKDataplane",
      dependencies: ["Core", .target(name: "CSWX", condition: .when(traits: ["DPDK"]))],
      path: "Sources/DPDKDataplane",
      exclude: ["CSWX"]
    ),

    .systemLibrary(
      name: "CPcap", path: "Sources/Replay/CPcap", pkgConfig: "libpcap",
      providers: [.apt(["libpcap-dev"])]),
    .target(
      name: "Replay",
      dependencies: [
        "Core", "SimDataplane", "K8sDPArtefacts", "CPcap", dpdk,
        .product(name: "Yams", package: "Yams"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Replay",
      exclude: ["CPcap", "k8sdp"]
    ),
    .executableTarget(
      name: "k8sdp",
      dependencies: [
        "Core", "SimDataplane", "Replay", dpdk,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Replay/k8sdp"
    ),

    .testTarget(name: "CoreTests", dependencies: ["Core", "K8sDPArtefacts"]),
    .testTarget(name: "SimDataplaneTests", dependencies: ["SimDataplane", "Core"]),
    .testTarget(
      name: "DPDKDataplaneTests",
      dependencies: ["Core", "SimDataplane", "Replay", "K8sDPArtefacts", dpdk]),
    .testTarget(
      name: "ReplayTests", dependencies: ["Replay", "Core", "SimDataplane", "K8sDPArtefacts", dpdk]),
  ],
  swiftLanguageModes: [.v6]
)
