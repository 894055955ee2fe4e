// swift-tools-version: 6.2
import PackageDescription

// Long runs, by the same generators as the short ones in `swift test`:
//
//     swift run --package-path Fuzz -c release fuzz --seconds 60
//     swift run --package-path Fuzz -c release simulate --seeds 10000

let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "martlet-fuzz",
  platforms: [.macOS(.v26)],
  dependencies: [
    .package(name: "martlet", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        .product(name: "_HostFuzzing", package: "martlet"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "simulate",
      dependencies: [
        .product(name: "_HostSimulation", package: "martlet"),
        .product(name: "MartletCore", package: "martlet"),
        .product(name: "MartletLinks", package: "martlet"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
