// swift-tools-version: 6.1
import Foundation
import PackageDescription

/// Everything that needs libdpdk hangs on the trait DPDK, what k8sdp does with a running
/// infrap4d, and so gRPC, on Infrap4d. Both are on by default; `swift build
/// --disable-default-traits` builds the model, the replay library and `k8sdp` without them.
let dpdk: Target.Dependency = .target(name: "DPDKDataplane", condition: .when(traits: ["DPDK"]))

/// What generated gRPC code stands on.
let grpc: [Target.Dependency] = [
  .product(name: "GRPCCore", package: "grpc-swift-2"),
  .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
  .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]

let package = Package(
  name: "k8s-infra-offload",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Core", targets: ["Core"]),
    .library(name: "SimDataplane", targets: ["SimDataplane"]),
    .library(name: "DPDKDataplane", targets: ["DPDKDataplane"]),
    .library(name: "Replay", targets: ["Replay"]),
    .executable(name: "k8sdp", targets: ["k8sdp"]),
    .executable(name: "infrap4d", targets: ["infrap4d"]),
    .executable(name: "gnmi-ctl", targets: ["gnmi-ctl"]),
    .executable(name: "infra-cni", targets: ["infra-cni"]),
    .executable(name: "inframanager", targets: ["inframanager"]),
    .executable(name: "infraagent", targets: ["infraagent"]),
    .executable(name: "arp-proxy", targets: ["arp-proxy"]),
    .executable(name: "felix-api-proxy", targets: ["felix-api-proxy"]),
  ],
  traits: [
    .default(enabledTraits: ["DPDK", "Infrap4d"]),
    .trait(name: "DPDK", description: "The dataplane on DPDK's SWX pipeline (needs libdpdk-dev)"),
    .trait(name: "Infrap4d", description: "k8sdp with a running infrap4d (builds gRPC)"),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.0"),
  ],
  targets: [
    .target(
      name: "Core",
      dependencies: [.product(name: "HashTreeCollections", package: "swift-collections")]),
    .target(name: "SimDataplane", dependencies: ["Core"]),

    .target(
      name: "K8sDPArtefacts",
      path: "k8s_dp",
      exclude: [
        "artefacts.sha256", "compile.sh", "k8s_dp.conf", "k8s_dp.p4", "k8s_dp.pb.bin", "pack.py",
      ],
      sources: ["K8sDPArtefacts.swift"],
      resources: [
        .embedInCode("k8s_dp.spec"), .embedInCode("p4Info.txt"), .embedInCode("context.json"),
        .embedInCode("tdi.json"),
      ]
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
      exclude: ["CSWX", "Infrap4d", "P4RuntimeCodec"]
    ),

    .systemLibrary(
      name: "CPcap", path: "Sources/Replay/CPcap", pkgConfig: "libpcap",
      providers: [.apt(["libpcap-dev"])]),
    // Programs that programs start.
    .target(name: "CChildProcess", path: "Sources/Daemons/ChildProcess/CChildProcess"),
    .target(
      name: "ChildProcess", dependencies: ["CChildProcess"], path: "Sources/Daemons/ChildProcess",
      exclude: ["CChildProcess"]),
    .target(
      name: "Replay",
      dependencies: [
        "ChildProcess", "Core", "SimDataplane", "K8sDPArtefacts", "CPcap", dpdk,
        .product(name: "Yams", package: "Yams"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Replay",
      exclude: ["CPcap", "Live", "k8sdp"]
    ),
    // A running infrap4d as a dataplane of a comparison: frames through its TAPs.
    .target(name: "CLiveWire", path: "Sources/Replay/Live/CLiveWire"),
    .target(
      name: "LiveReplay",
      dependencies: [
        "Certificates", "ChildProcess", "Core", "CPcap", "ProcessSignals", "Replay", "SimDataplane",
        "Infrap4dDataplane", "GNMIPaths",
        "GNMIProtos", "InspectionProtos", "CLiveWire",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Replay/Live",
      exclude: ["CLiveWire"]
    ),
    .executableTarget(
      name: "k8sdp",
      dependencies: [
        "Core", "SimDataplane", "Replay", dpdk,
        .target(name: "LiveReplay", condition: .when(traits: ["Infrap4d"])),
        .target(name: "Certificates", condition: .when(traits: ["Infrap4d"])),
        .target(name: "Infrap4dDataplane", condition: .when(traits: ["Infrap4d"])),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Replay/k8sdp"
    ),

    // Generated by scripts/generate-protos.sh.
    .target(
      name: "P4RuntimeProtos", dependencies: grpc, path: "Sources/Daemons/P4RuntimeProtos"),
    .target(name: "GNMIProtos", dependencies: grpc, path: "Sources/Daemons/GNMIProtos"),
    .target(
      name: "GNMIPaths",
      dependencies: [
        "GNMIProtos", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      path: "Sources/Daemons/GNMIPaths"),
    .target(name: "InfraProtos", dependencies: grpc, path: "Sources/Daemons/InfraProtos"),
    .target(
      name: "InspectionProtos", dependencies: grpc, path: "Sources/Daemons/InspectionProtos"),
    .target(
      name: "PipelineProtos",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      path: "Sources/Daemons/PipelineProtos"),

    .target(
      name: "P4RuntimeCodec",
      dependencies: ["Core", "P4RuntimeProtos", "PipelineProtos"],
      path: "Sources/DPDKDataplane/P4RuntimeCodec"),
    .target(
      name: "Infrap4dDataplane",
      dependencies: [
        "Certificates", "Core", "GNMIPaths", "GNMIProtos", "K8sDPArtefacts", "P4RuntimeCodec",
        "P4RuntimeProtos", "PipelineProtos",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/DPDKDataplane/Infrap4d"),
    .target(
      name: "Serving",
      dependencies: [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/Serving"),
    .target(name: "Hosting", dependencies: ["Core"], path: "Sources/Daemons/Hosting"),
    .target(name: "Metrics", dependencies: ["Core"], path: "Sources/Daemons/Metrics"),
    .target(
      name: "HTTPServing",
      dependencies: [
        "Serving",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      path: "Sources/Daemons/HTTPServing"),

    .target(
      name: "P4RuntimeService",
      dependencies: [
        "Core", "Hosting", "Metrics", "P4RuntimeCodec", "P4RuntimeProtos", "PipelineProtos",
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/P4RuntimeService"),

    .target(
      name: "GNMIService",
      dependencies: [
        "Core", "Hosting", "GNMIProtos",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/GNMIService"),

    .target(
      name: "InspectionService",
      dependencies: [
        "Core", "CPcap", "Hosting", "InspectionProtos", "P4RuntimeCodec", "P4RuntimeService",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
      ],
      path: "Sources/Daemons/InspectionService"),

    .target(
      name: "StateDirectory",
      dependencies: [
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/StateDirectory"),
    .target(
      name: "Certificates",
      dependencies: [
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "X509", package: "swift-certificates"),
      ],
      path: "Sources/Daemons/Certificates"),

    .target(name: "CPrivileges", path: "Sources/Daemons/Privileges/CPrivileges"),
    .target(
      name: "Privileges", dependencies: ["CPrivileges"], path: "Sources/Daemons/Privileges",
      exclude: ["CPrivileges"]),

    .executableTarget(
      name: "infrap4d",
      dependencies: [
        "Core", "SimDataplane", "K8sDPArtefacts", "Hosting", "Forwarding", "P4RuntimeService",
        "Privileges", "ProcessSignals", "GNMIService", "HTTPServing", "InspectionProtos",
        "InspectionService",
        "Metrics", "Serving", "StateDirectory",
        "Certificates", "DaemonConfiguration", "DaemonLog", dpdk,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOFoundationCompat", package: "swift-nio"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/infrap4d",
      resources: [.embedInCode("status.html")]),

    .target(
      name: "DaemonConfiguration",
      dependencies: [
        "DaemonLog",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ],
      path: "Sources/Daemons/DaemonConfiguration"),
    .target(
      name: "DaemonLog",
      dependencies: ["ProcessSignals", .product(name: "Logging", package: "swift-log")],
      path: "Sources/Daemons/DaemonLog"),
    // For programs that end, or do something, by a signal.
    .target(name: "ProcessSignals", path: "Sources/Daemons/ProcessSignals"),
    .target(name: "HealthProtos", dependencies: grpc, path: "Sources/Daemons/HealthProtos"),
    .target(
      name: "Health",
      dependencies: ["HealthProtos", .product(name: "GRPCCore", package: "grpc-swift-2")],
      path: "Sources/Daemons/Health"),
    .target(
      name: "ManagerService",
      dependencies: [
        "Core", "GNMIProtos", "InfraProtos", "Metrics", "StateDirectory",
        .product(name: "HashTreeCollections", package: "swift-collections"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/ManagerService"),
    .executableTarget(
      name: "inframanager",
      dependencies: [
        "Certificates", "Core", "DaemonConfiguration", "DaemonLog", "HTTPServing", "Health",
        "HealthProtos",
        "Infrap4dDataplane", "ManagerService", "Metrics", "ProcessSignals", "Serving",
        "StateDirectory",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/inframanager"),

    .target(
      name: "Kubernetes",
      dependencies: [
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOFoundationCompat", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Yams", package: "Yams"),
      ],
      path: "Sources/Daemons/Kubernetes"),
    .target(
      name: "ServiceSync",
      dependencies: [
        "Core", "Kubernetes", "Metrics", "StateDirectory",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/ServiceSync"),
    .target(
      name: "AgentService",
      dependencies: [
        "CNIBackend", "Core", "HTTPServing", "HealthProtos", "InfraProtos", "Kubernetes", "Metrics",
        "ServiceSync", "Serving", "StateDirectory",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      path: "Sources/Daemons/AgentService"),
    .executableTarget(
      name: "infraagent",
      dependencies: [
        "AgentService", "CNIBackend", "Certificates", "DaemonConfiguration", "Core", "DaemonLog",
        "HTTPServing",
        "Health", "HealthProtos", "Infrap4dDataplane", "Kubernetes", "Metrics", "Netlink",
        "ProcessSignals", "ServiceSync", "Serving", "StateDirectory",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/infraagent"),

    .executableTarget(
      name: "infrap4d-bench",
      dependencies: [
        "ChildProcess", "Core", "Infrap4dDataplane",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/infrap4d-bench"),
    .executableTarget(
      name: "gnmi-ctl",
      dependencies: [
        "Certificates", "Core", "GNMIPaths", "GNMIProtos", "Infrap4dDataplane",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      path: "Sources/Daemons/gnmi-ctl"),

    .target(name: "CNetlink", path: "Sources/Daemons/Netlink/CNetlink"),
    .target(
      name: "Netlink", dependencies: ["Core", "CNetlink"], path: "Sources/Daemons/Netlink",
      exclude: ["CNetlink"]),
    .target(
      name: "CNIBackend",
      dependencies: [
        "Core", "Metrics", "Netlink", "InfraProtos", "GNMIPaths", "GNMIProtos", "StateDirectory",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/CNIBackend"),

    .executableTarget(
      name: "arp-proxy",
      dependencies: [
        "CPcap", "Core", "DaemonLog", "Netlink", "ProcessSignals",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Sources/Daemons/arp-proxy"),
    .executableTarget(
      name: "felix-api-proxy",
      dependencies: ["Core", "DaemonLog", .product(name: "Logging", package: "swift-log")],
      path: "Sources/Daemons/felix-api-proxy"),

    .executableTarget(
      name: "infra-cni",
      dependencies: [
        "ChildProcess", "Core", "DaemonLog", "Netlink", "InfraProtos", "StateDirectory",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
      ],
      path: "Sources/Daemons/infra-cni",
      // It starts for each pod, which takes 5 ms less without a dynamic linker, and on nodes whose
      // libraries nobody here knows. LLD comes with Swift and says nothing of getaddrinfo.
      linkerSettings: [
        .unsafeFlags(
          ["-static-executable", "-use-ld=lld"],
          .when(platforms: [.linux], configuration: .release))
      ]),

    .target(name: "CForwarding", path: "Sources/Daemons/Forwarding/CForwarding"),
    .target(
      name: "Forwarding", dependencies: ["Core", "Hosting", "CForwarding"],
      path: "Sources/Daemons/Forwarding", exclude: ["CForwarding", "forwarding-bench"]),
    .executableTarget(
      name: "forwarding-bench",
      dependencies: [
        "Forwarding", "Replay", "SimDataplane", "K8sDPArtefacts", dpdk,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Daemons/Forwarding/forwarding-bench"),

    // Parsers of bytes from outside, each on its own for libFuzzer.
    .target(
      name: "Parsers",
      dependencies: [
        "Core", "SimDataplane", "Replay", "K8sDPArtefacts", "P4RuntimeCodec", "P4RuntimeProtos",
        "StateDirectory", "TestPrograms",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/ParserFuzz/Parsers"),
    .executableTarget(
      name: "parser-fuzz",
      dependencies: [
        "Parsers", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/ParserFuzz/parser-fuzz"),
    .testTarget(name: "ParserFuzzTests", dependencies: ["Parsers", "Replay"]),

    // What tests of a server in the same process share.
    .target(
      name: "GRPCTesting",
      dependencies: [
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
      ],
      path: "Tests/GRPCTesting"),
    // A server for tests, and what drives it.
    .target(
      name: "P4RuntimeTesting",
      dependencies: [
        "Core", "GRPCTesting", "SimDataplane", "Hosting", "P4RuntimeService", "P4RuntimeProtos",
        "PipelineProtos",
        "GNMIProtos", "TestPrograms", dpdk,
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/P4RuntimeTesting"),
    // P4 programs of tests, compiled.
    .target(
      name: "TestPrograms",
      path: "Tests/TestPrograms",
      exclude: ["artefacts.sha256", "border.p4", "compile.sh"],
      resources: [.embedInCode("border.spec"), .embedInCode("border.p4info.txt")]),
    // Namespaces and pods, and programs in them.
    .target(name: "NodeTesting", dependencies: ["ChildProcess"], path: "Tests/NodeTesting"),
    .testTarget(
      name: "P4RuntimeCodecTests",
      dependencies: ["P4RuntimeCodec", "P4RuntimeProtos", "P4RuntimeTesting", "Core"]),
    .testTarget(
      name: "Infrap4dDataplaneTests",
      dependencies: [
        "GRPCTesting", "Infrap4dDataplane", "P4RuntimeTesting", "P4RuntimeService",
        "P4RuntimeProtos",
        "PipelineProtos", "GNMIProtos", "P4RuntimeCodec", "Core",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "P4RuntimeServiceTests",
      dependencies: [
        "P4RuntimeService", "P4RuntimeCodec", "P4RuntimeProtos", "P4RuntimeTesting", "Hosting",
        "Core", "SimDataplane", dpdk,
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    .testTarget(
      name: "GNMIServiceTests",
      dependencies: [
        "GNMIService", "GNMIProtos", "GRPCTesting", "Hosting", "Core",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(name: "NetlinkTests", dependencies: ["Netlink", "Core", "NodeTesting"]),
    // A node with a real infrap4d in it, for tests of the agent's part.
    .target(
      name: "CNITesting",
      dependencies: [
        "CNIBackend", "Core", "InfraProtos", "NodeTesting",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/CNITesting"),
    .testTarget(
      name: "CNIBackendTests",
      dependencies: [
        "CNIBackend", "CNITesting", "Core", "GRPCTesting", "InfraProtos", "Netlink", "NodeTesting",
        "infra-cni", "infrap4d",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    // A stand-in for kube-apiserver, and the real one.
    .target(
      name: "KubernetesTesting",
      dependencies: [
        "Certificates", "Kubernetes", "Netlink", "NodeTesting",
        .product(name: "Yams", package: "Yams"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      path: "Tests/KubernetesTesting"),
    .testTarget(
      name: "KubernetesTests",
      dependencies: [
        "Kubernetes", "KubernetesTesting", "Certificates",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ]),
    .testTarget(
      name: "ServiceSyncTests",
      dependencies: [
        "ServiceSync", "Kubernetes", "Core", "StateDirectory",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "DaemonLogTests",
      dependencies: [
        "DaemonLog", "NodeTesting", .product(name: "Logging", package: "swift-log"),
        // What is run.
        "arp-proxy", "felix-api-proxy", "infrap4d", "inframanager", "infraagent", "infra-cni",
        "Certificates",
      ]),
    .testTarget(name: "MetricsTests", dependencies: ["Metrics", "NodeTesting"]),
    .testTarget(
      name: "HTTPServingTests",
      dependencies: [
        "HTTPServing", "NodeTesting", "Serving",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .testTarget(
      name: "DaemonConfigurationTests", dependencies: ["DaemonConfiguration", "NodeTesting"]),
    .testTarget(
      name: "ARPProxyTests", dependencies: ["arp-proxy", "ClusterTesting", "NodeTesting"]),
    .testTarget(
      name: "AgentServiceTests",
      dependencies: [
        "AgentService", "Certificates", "CNIBackend", "ClusterTesting", "Core", "felix-api-proxy",
        "Health", "HealthProtos", "HTTPServing", "InfraProtos", "infraagent", "Kubernetes",
        "KubernetesTesting", "Netlink", "NodeTesting", "ServiceSync", "Serving", "StateDirectory",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    // A whole node with its API server, for the end-to-end tests and their benchmark.
    .target(
      name: "ClusterTesting",
      dependencies: [
        "infrap4d", "inframanager", "infraagent", "infra-cni", "Infrap4dDataplane", "Kubernetes",
        "KubernetesTesting", "NodeTesting", "P4RuntimeProtos",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
      ],
      path: "Tests/ClusterTesting"),
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["ClusterTesting", "Kubernetes", "KubernetesTesting", "NodeTesting"]),
    .executableTarget(
      name: "node-bench",
      dependencies: [
        "ClusterTesting", "Core", "Infrap4dDataplane", "Kubernetes", "KubernetesTesting",
        "NodeTesting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/NodeBench"),
    // Programs that share no code with ours, at the other end.
    .testTarget(
      name: "InteropTests",
      dependencies: [
        "infrap4d", "Certificates", "Core", "Infrap4dDataplane", "NodeTesting", "P4RuntimeTesting",
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["Cxx"]),
    .testTarget(name: "CoreTests", dependencies: ["Core", "K8sDPArtefacts", "NodeTesting"]),
    // The code of the library's tutorial, where its documentation has it.
    .testTarget(
      name: "TutorialTests", dependencies: ["Core", "SimDataplane", "Replay"],
      path: "Sources/Replay/Replay.docc/Resources",
      exclude: [
        "Router-1.swift", "Router-2.swift", "Router-3.swift", "ServiceTests-1.swift",
        "ServiceTests-2.swift", "begin.svg", "web.yaml",
      ]),
    .testTarget(name: "SimDataplaneTests", dependencies: ["SimDataplane", "Core"]),
    .testTarget(
      name: "DPDKDataplaneTests",
      dependencies: ["Core", "SimDataplane", "Replay", "K8sDPArtefacts", dpdk]),
    .testTarget(
      name: "ManagerServiceTests",
      dependencies: [
        "AgentService", "ManagerService", "InfraProtos", "Core", "GRPCTesting", "ServiceSync",
        "SimDataplane", "K8sDPArtefacts", "StateDirectory",
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["upstream-wire.txt"]),
    .testTarget(
      name: "ForwardingTests",
      dependencies: [
        "Core", "Forwarding", "Hosting", "SimDataplane", "K8sDPArtefacts", "NodeTesting",
        "Replay", dpdk,
      ]),
    .testTarget(
      name: "ReplayTests",
      dependencies: [
        "ChildProcess", "Replay", "Core", "SimDataplane", "K8sDPArtefacts", "NodeTesting", dpdk,
      ]),
    .testTarget(
      name: "Infrap4dTests",
      dependencies: [
        "infrap4d", "inframanager", "infraagent", "gnmi-ctl", "k8sdp", "ChildProcess", "Core",
        "Certificates", "StateDirectory",
        "GNMIProtos",
        "InfraProtos", "InspectionProtos", "HealthProtos", "P4RuntimeProtos", "P4RuntimeTesting",
        "Infrap4dDataplane", "LiveReplay", "Replay", "NodeTesting", dpdk,
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "Logging", package: "swift-log"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// Only `make docs` needs it.
if ProcessInfo.processInfo.environment["K8SDP_DOCS"] != nil {
  package.dependencies.append(
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"))
}
