import Core
import Testing

@testable import SimDataplane
