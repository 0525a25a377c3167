import Testing

@testable import DPDKDataplane
