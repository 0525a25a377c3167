import Core
import Testing

@testable import Forwarding
