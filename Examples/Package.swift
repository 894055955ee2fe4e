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

let package = Package(
  name: "martlet-examples",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "martlet", path: "..")],
  targets: ["UppercaseUDP", "UppercaseTCP", "Demultiplexing"].map {
    .executableTarget(name: $0, dependencies: libraries, swiftSettings: settings)
  },
  swiftLanguageModes: [.v6]
)
