// swift-tools-version: 6.1
import PackageDescription

/// The plugins of protoc, at the versions of the runtime libraries.
let package = Package(
  name: "protos",
  dependencies: [
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.0"),
  ],
  targets: [
    .target(
      name: "none", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")])
  ]
)
