// What client and server share.
#pragma once

#include <google/rpc/status.pb.h>
#include <grpcpp/grpcpp.h>
#include <p4/v1/p4runtime.grpc.pb.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// 128 bits, the high word first, as pairs compare.
using ElectionID = std::pair<uint64_t, uint64_t>;

inline ElectionID electionID(const p4::v1::Uint128& id) { return {id.high(), id.low()}; }

inline void set(p4::v1::Uint128* message, const ElectionID& id) {
  message->set_high(id.first);
  message->set_low(id.second);
}
