// Who tests in a world gets worlds and hosts with it, and Swift Testing, which every file that waits in a world needs.
@_exported public import Martlet
@_exported public import MartletLab
@_exported public import Testing
