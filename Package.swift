// swift-tools-version: 6.2
import PackageDescription

/// CI sets SHOAL_WARNINGS_AS_ERRORS; it covers our targets only, not the dependencies'.
let warnings: [SwiftSetting] =
    Context.environment["SHOAL_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]
/// `Scripts/test` sets SHOAL_TESTABLE: an optimised build, but with assertions. Not those of the dependencies: NIO has one that
/// a readable `/dev/fuse` has a request, which the death of the process that sent it takes back.
let testable: [SwiftSetting] =
    Context.environment["SHOAL_TESTABLE"] == nil
    ? [] : [.unsafeFlags(["-enable-testing", "-assert-config", "Debug"])]
let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + warnings + testable

/// A library target under `Sources/`, with the settings every target shares.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A test target under `Tests/`; each may use `ShoalTestSupport`.
func suite(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["ShoalTestSupport"], swiftSettings: strict)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "shoal",
    products: [
        .executable(name: "shoal", targets: ["shoal"]),
        .executable(name: "shoal-posix", targets: ["shoal-posix"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    ],
    targets: [
        // The system's C libraries.
        .systemLibrary(name: "CFuse3", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        .systemLibrary(name: "CRocksDB", pkgConfig: "rocksdb", providers: [.apt(["librocksdb-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CAffinity"),
        .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),

        // Types, wire format, placement.
        module("ShoalTypes"),
        module("ShoalChecksum", ["CISAL"]),
        module("ShoalWire", ["ShoalTypes", "ShoalChecksum"]),
        module("ShoalPlacement", ["ShoalTypes"]),

        // What the kernel says is mounted.
        module("ShoalMountTable"),

        // The seam between the cores and whatever moves their messages.
        module("ShoalRPC", ["ShoalTypes", "ShoalWire"]),

        // Cores: no NIO, no clock, no random source.
        module("ShoalKeyValue", ["CRocksDB"]),
        module("ShoalChunkStore", ["CLinux", "ShoalTypes", "ShoalChecksum", "ShoalKeyValue"]),
        module("ShoalMetadata", ["ShoalTypes", "ShoalWire", "ShoalPlacement", "ShoalKeyValue"]),
        module(
            "ShoalClient", ["ShoalTypes", "ShoalChecksum", "ShoalWire", "ShoalPlacement", "ShoalRPC", logging, deque]),

        // Shells.
        module("ShoalTransport", ["CAffinity", "ShoalTypes", "ShoalWire", "ShoalRPC", logging] + nio),
        module(
            "ShoalNode",
            [
                "ShoalTypes", "ShoalChecksum", "ShoalWire", "ShoalPlacement", "ShoalRPC", "ShoalChunkStore",
                "ShoalTransport", logging,
            ]),
        module(
            "ShoalMetadataServer",
            [
                "ShoalTypes", "ShoalWire", "ShoalPlacement", "ShoalRPC", "ShoalKeyValue", "ShoalMetadata",
                "ShoalTransport", logging,
            ]),
        module("ShoalFUSE", ["ShoalTypes", "ShoalMountTable", "CFuse3"]),
        module(
            "ShoalMount",
            [
                "ShoalTypes", "ShoalWire", "ShoalRPC", "ShoalClient", "ShoalTransport", "ShoalFUSE", logging,
            ]),
        module(
            "ShoalCluster", ["ShoalTypes", "ShoalWire", "ShoalRPC", "ShoalTransport", "ShoalMountTable", logging]),
        .executableTarget(
            name: "shoal",
            dependencies: [
                "ShoalTypes", "ShoalWire", "ShoalPlacement", "ShoalRPC", "ShoalClient", "ShoalTransport", "ShoalNode",
                "ShoalMetadataServer", "ShoalMount", "ShoalCluster", logging, arguments,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "shoal-passthrough", dependencies: ["ShoalTypes", "ShoalFUSE"], swiftSettings: strict),
        .executableTarget(
            name: "shoal-exercise",
            dependencies: ["CLinux", "ShoalTypes", "ShoalLinearizability", "ShoalCluster", arguments],
            swiftSettings: strict),
        .executableTarget(name: "shoal-posix", dependencies: ["CLinux"], swiftSettings: strict),

        // Whether what was seen can be explained: of the simulation, and of real mounts.
        module("ShoalLinearizability", ["ShoalTypes"]),

        // The cores in virtual time, on a simulated network and simulated disks.
        module(
            "ShoalSimulation",
            [
                "ShoalTypes", "ShoalWire", "ShoalRPC", "ShoalKeyValue", "ShoalChunkStore", "ShoalMetadata", "ShoalNode",
                "ShoalClient", "ShoalLinearizability", "ShoalTestSupport", logging,
            ]),

        .executableTarget(
            name: "shoal-simulate",
            dependencies: ["ShoalClient", "ShoalSimulation", logging, arguments], swiftSettings: strict),

        // Tests.
        .target(name: "ShoalTestSupport", path: "Tests/ShoalTestSupport", swiftSettings: strict),
        suite("ShoalWireTests", ["ShoalTypes", "ShoalChecksum", "ShoalWire"]),
        suite("ShoalPlacementTests", ["ShoalTypes", "ShoalPlacement"]),
        suite(
            "ShoalChunkStoreTests",
            ["ShoalTypes", "ShoalChecksum", "ShoalKeyValue", "ShoalChunkStore", "ShoalSimulation"]),
        suite(
            "ShoalMetadataTests", ["ShoalTypes", "ShoalWire", "ShoalPlacement", "ShoalKeyValue", "ShoalMetadata"]),
        suite(
            "ShoalMetadataServerTests",
            ["ShoalTypes", "ShoalWire", "ShoalRPC", "ShoalTransport", "ShoalMetadataServer", logging]),
        suite(
            "ShoalClientTests",
            [
                "ShoalTypes", "ShoalChecksum", "ShoalWire", "ShoalPlacement", "ShoalRPC", "ShoalKeyValue",
                "ShoalMetadata", "ShoalClient", "ShoalSimulation", logging,
            ]),
        suite("ShoalTransportTests", ["ShoalTypes", "ShoalWire", "ShoalRPC", "ShoalTransport", logging]),
        suite(
            "ShoalNodeTests",
            [
                "ShoalTypes", "ShoalChecksum", "ShoalWire", "ShoalPlacement", "ShoalRPC", "ShoalChunkStore",
                "ShoalTransport", "ShoalNode", logging,
            ]),
        suite("ShoalLinearizabilityTests", ["ShoalTypes", "ShoalLinearizability"]),
        suite(
            "ShoalSimulationTests",
            ["ShoalTypes", "ShoalClient", "ShoalSimulation"]),
        suite("ShoalFUSETests", ["ShoalTypes", "ShoalFUSE"]),
        suite("ShoalClusterTests", ["ShoalTypes", "ShoalWire", "ShoalMountTable", "ShoalCluster", "shoal"]),
        suite("ShoalMountedTests", ["ShoalTypes", "ShoalMountTable"]),
    ],
    swiftLanguageModes: [.v6]
)
