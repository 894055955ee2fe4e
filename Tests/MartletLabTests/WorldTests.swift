import Testing

@testable import MartletLab
