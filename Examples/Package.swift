// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let libraries: [Target.Dependency] = ["Martlet", "MartletLinks", "MartletCore", "MartletWire"].map {
  .product(name: $0, package: "martlet")
}

/// Two hosts on a wire, and SwiftNIO on them.
let nio: [Target.Dependency] = [
  "TwoHosts", .product(name: "MartletNIO", package: "martlet"), .product(name: "NIOCore", package: "swift-nio"),
]
let http1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let http2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let quiescing: Target.Dependency = .product(name: "NIOExtras", package: "swift-nio-extras")
let worlds: Target.Dependency = .product(name: "MartletLabTesting", package: "martlet")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// The examples that run a library of the SwiftNIO family, and what each is built with.
let servers: [(name: String, dependencies: [Target.Dependency])] = [
  ("HTTP1Server", [http1]),
  ("HTTP2Server", ["SelfSigned", http1, http2, tls]),
  ("TLSEcho", ["SelfSigned", tls]),
  ("WebSocketChat", [http1, .product(name: "NIOWebSocket", package: "swift-nio")]),
  (
    "HummingbirdServer",
    [
      "SmallHTTPClient", http1, .product(name: "Hummingbird", package: "hummingbird"),
      .product(name: "HummingbirdCore", package: "hummingbird"), lifecycle, quiescing, logging,
    ]
  ),
  ("GracefulServer", ["SmallHTTPClient", http1, lifecycle, quiescing, logging]),
  (
    "GRPCGreeter",
    [
      .product(name: "GRPCCore", package: "grpc-swift-2"),
      .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
    ]
  ),
]

let package = Package(
  name: "martlet-examples",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "martlet", path: ".."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
  ],
  targets: ["FirstProgram", "UppercaseUDP", "UppercaseTCP", "Demultiplexing"].map {
    .executableTarget(name: $0, dependencies: libraries, swiftSettings: settings)
  }
    + servers.map {
      .executableTarget(name: $0.name, dependencies: libraries + nio + $0.dependencies, swiftSettings: settings)
    }
    + [
      .target(name: "TwoHosts", dependencies: libraries, swiftSettings: settings),
      .target(name: "SmallHTTPClient", dependencies: nio + [http1], swiftSettings: settings),
      .target(name: "SelfSigned", dependencies: [tls], swiftSettings: settings),
      .target(name: "ReplicatedStore", dependencies: libraries, swiftSettings: settings),
      .testTarget(
        name: "ReplicatedStoreTests",
        dependencies: libraries + ["ReplicatedStore", .product(name: "MartletLab", package: "martlet"), worlds],
        swiftSettings: settings),
      .testTarget(
        name: "ExampleTests", dependencies: nio + [worlds, "SelfSigned", tls] + servers.map { .byName(name: $0.name) },
        swiftSettings: settings),
    ],
  swiftLanguageModes: [.v6]
)
