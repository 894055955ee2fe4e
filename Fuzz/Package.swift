// swift-tools-version: 6.2
import PackageDescription

// Long fuzzing runs, by the same generator as the short ones in `swift test`:
//
//     swift run --package-path Fuzz -c release fuzz --seconds 60

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
      swiftSettings: [
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
