import InfraProtos
import NIOCore

/// Frames of Felix: the length of a message, 8 bytes, little-endian, then the message.
struct FelixFrame: ByteToMessageDecoder {
  typealias InboundOut = Felix_ToDataplane

  struct TooLong: Error, CustomStringConvertible {
    var length: UInt64
    var description: String {
      "a message of \(length) bytes; \(FelixFrame.longest) is the most, so this is not Felix"
    }
  }

  /// Sets of 1,000,000 addresses are below.
  static let longest: UInt64 = 64 << 20

  mutating func decode(
    context: ChannelHandlerContext, buffer: inout ByteBuffer
  ) throws -> DecodingState {
    guard
      let length = buffer.getInteger(
        at: buffer.readerIndex, endianness: .little, as: UInt64.self)
    else { return .needMoreData }
    guard length <= Self.longest else { throw TooLong(length: length) }
    guard let bytes = buffer.getBytes(at: buffer.readerIndex + 8, length: Int(length)) else {
      return .needMoreData
    }
    buffer.moveReaderIndex(forwardBy: 8 + Int(length))
    context.fireChannelRead(wrapInboundOut(try Felix_ToDataplane(serializedBytes: bytes)))
    return .continue
  }

  mutating func decodeLast(
    context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
  ) throws -> DecodingState {
    // Half a message at the end of a connection is the end of Felix, and no error.
    while try decode(context: context, buffer: &buffer) == .continue {}
    return .needMoreData
  }
}
