// swift-tools-version: 6.2
import PackageDescription

/// Every target is strict about memory and speaks the language as it is going to be.
let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

/// What the laboratory's report is made of, beside the recording.
let reportPage =
  ["body.html", "style.css"]
  + ["core", "dissect", "chart", "timeline", "topology", "events", "ladder", "graphs", "packet", "tables", "main"]
  .map { "\($0).js" }

let package = Package(
  name: "martlet",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "MartletWire", targets: ["MartletWire"]),
    .library(name: "MartletCore", targets: ["MartletCore"]),
    .library(name: "MartletLinks", targets: ["MartletLinks"]),
    .library(name: "Martlet", targets: ["Martlet"]),
    .library(name: "MartletNIO", targets: ["MartletNIO"]),
    .library(name: "MartletServices", targets: ["MartletServices"]),
    .library(name: "MartletLab", targets: ["MartletLab"]),
    .library(name: "MartletLabTesting", targets: ["MartletLabTesting"]),
    .executable(name: "martlet", targets: ["MartletCommand"]),
    // For Fuzz/ only: no part of what Martlet promises.
    .library(name: "_HostFuzzing", targets: ["HostFuzzing"]),
    .library(name: "_HostSimulation", targets: ["HostSimulation"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(name: "MartletWire", swiftSettings: settings),
    .target(
      name: "MartletCore",
      dependencies: ["MartletWire", .product(name: "BasicContainers", package: "swift-collections")],
      swiftSettings: settings),
    .target(name: "CMartletLinux"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "MartletLinks", dependencies: ["MartletCore", "MartletWire", "CMartletLinux"], swiftSettings: settings),
    .target(
      name: "Martlet",
      dependencies: [
        "MartletWire", "MartletCore", "MartletLinks", "CMartletLinux",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .target(
      name: "MartletNIO",
      dependencies: ["Martlet", "MartletCore", "MartletWire", .product(name: "NIOCore", package: "swift-nio")],
      swiftSettings: settings),
    .target(
      name: "MartletServices",
      dependencies: [
        "MartletNIO", "Martlet", "MartletCore", "MartletWire", "CMartletLinux", "CZlib",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: settings),
    .target(
      name: "MartletLab",
      dependencies: [
        "MartletReportPage", "MartletServices", "MartletNIO", "Martlet", "MartletLinks", "MartletCore",
        "MartletWire",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "Yams", package: "Yams"),
        .product(name: "BasicContainers", package: "swift-collections"),
      ],
      exclude: ["Report/Page"], swiftSettings: settings),
    .target(
      name: "MartletReportPage", path: "Sources/MartletLab/Report/Page",
      resources: reportPage.map { .embedInCode($0) }, swiftSettings: settings),
    // For test targets: it imports Swift Testing.
    .target(
      name: "MartletLabTesting", dependencies: ["MartletLab", "Martlet", "MartletCore", "MartletWire"],
      swiftSettings: settings),
    .executableTarget(
      name: "MartletCommand",
      dependencies: [
        "MartletServices", "MartletLab", "MartletNIO", "Martlet", "MartletLinks", "MartletCore", "MartletWire",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .testTarget(name: "MartletWireTests", dependencies: ["MartletWire"], swiftSettings: settings),
    .target(
      name: "HostFuzzing", dependencies: ["MartletCore", "MartletWire"], path: "Tests/HostFuzzing",
      swiftSettings: settings),
    .target(
      name: "HostSimulation", dependencies: ["MartletLinks", "MartletCore", "MartletWire"],
      path: "Tests/HostSimulation", swiftSettings: settings),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(
      name: "MartletCoreTests", dependencies: ["MartletCore", "MartletWire", "HostFuzzing", "AllocationCounter"],
      swiftSettings: settings),
    .testTarget(
      name: "HostSimulationTests", dependencies: ["HostSimulation", "MartletCore", "MartletWire"],
      swiftSettings: settings),
    .testTarget(
      name: "MartletLinksTests", dependencies: ["MartletLinks", "MartletCore", "MartletWire", "CMartletLinux"],
      swiftSettings: settings),
    .testTarget(
      name: "MartletCommandTests",
      dependencies: [
        "MartletCommand", "MartletLab", "MartletWire",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "MartletTests", dependencies: ["Martlet", "MartletLinks", "MartletCore", "MartletWire"],
      swiftSettings: settings),
    .testTarget(
      name: "MartletNIOTests",
      dependencies: [
        "MartletNIO", "Martlet", "MartletLinks", "MartletWire",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOExtras", package: "swift-nio-extras"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "MartletServicesTests",
      dependencies: [
        "MartletServices", "MartletNIO", "Martlet", "MartletLinks", "MartletWire",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "MetricsTestKit", package: "swift-metrics"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "MartletLabTests",
      dependencies: [
        "MartletLab", "MartletServices", "MartletNIO", "Martlet", "MartletLinks", "MartletCore", "MartletWire",
        "AllocationCounter",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      exclude: ["Golden"],
      swiftSettings: settings),
    .testTarget(
      name: "MartletLabTestingTests",
      dependencies: ["MartletLabTesting", "MartletLab", "Martlet", "MartletCore", "MartletWire"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
