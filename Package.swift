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

let package = Package(
  name: "martlet",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "MartletWire", targets: ["MartletWire"]),
    .library(name: "MartletCore", targets: ["MartletCore"]),
    .library(name: "MartletLinks", targets: ["MartletLinks"]),
    .library(name: "Martlet", targets: ["Martlet"]),
    .executable(name: "martlet", targets: ["MartletCommand"]),
    // For Fuzz/ only: no part of what Martlet promises.
    .library(name: "_HostFuzzing", targets: ["HostFuzzing"]),
    .library(name: "_HostSimulation", targets: ["HostSimulation"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .target(name: "MartletWire", swiftSettings: settings),
    .target(
      name: "MartletCore",
      dependencies: ["MartletWire", .product(name: "BasicContainers", package: "swift-collections")],
      swiftSettings: settings),
    .target(name: "CMartletLinux"),
    .target(
      name: "MartletLinks", dependencies: ["MartletCore", "MartletWire", "CMartletLinux"], swiftSettings: settings),
    .target(
      name: "Martlet",
      dependencies: [
        "MartletWire", "MartletCore", "MartletLinks", "CMartletLinux",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "MartletCommand",
      dependencies: [
        "Martlet", "MartletLinks", "MartletCore", "MartletWire",
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
        "MartletCommand", "MartletWire", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "MartletTests", dependencies: ["Martlet", "MartletLinks", "MartletCore", "MartletWire"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
