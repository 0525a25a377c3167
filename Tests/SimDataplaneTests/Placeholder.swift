import Testing

@testable import SimDataplane
