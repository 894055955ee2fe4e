// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "martlet", path: "..")],
  targets: [
    .executableTarget(
      name: "InProcess",
      dependencies: [
        .product(name: "MartletCore", package: "martlet"), .product(name: "MartletWire", package: "martlet"),
      ]),
    .executableTarget(
      name: "TAPPeer",
      dependencies: [.product(name: "Martlet", package: "martlet"), .product(name: "MartletLinks", package: "martlet")]),
  ],
  swiftLanguageModes: [.v6]
)
