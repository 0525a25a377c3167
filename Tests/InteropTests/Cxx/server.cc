// A P4Runtime server on grpc++ that keeps entries, members and groups of any pipeline and
// forwards nothing: something to drive that shares no code with this project.
//
// usage: p4runtime-server HOST:PORT CERTIFICATES
//
// Prints "listening PORT". It has 1,024 ports: a parameter named "port" must be one.

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>

#include "stack.h"

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;

namespace {

constexpr uint64_t device = 1;
constexpr uint64_t ports = 1024;

/// Which kind, table or profile it is of, and its key.
using Key = std::tuple<int, uint32_t, std::string>;
using Entries = std::map<Key, p4::v1::Entity>;

std::string number(uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

std::string bytes(const google::protobuf::Message& message) {
  return message.SerializeAsString();
}

/// The key of an entity; none for kinds that are not kept.
std::optional<Key> key(const p4::v1::Entity& entity) {
  switch (entity.entity_case()) {
    case p4::v1::Entity::kTableEntry: {
      std::map<uint32_t, std::string> fields;
      for (auto& match : entity.table_entry().match()) fields[match.field_id()] = bytes(match);
      std::string all;
      for (auto& field : fields) all += number(field.second.size()) + field.second;
      return Key{entity.entity_case(), entity.table_entry().table_id(), all};
    }
    case p4::v1::Entity::kActionProfileMember: {
      auto& member = entity.action_profile_member();
      return Key{entity.entity_case(), member.action_profile_id(), number(member.member_id())};
    }
    case p4::v1::Entity::kActionProfileGroup: {
      auto& group = entity.action_profile_group();
      return Key{entity.entity_case(), group.action_profile_id(), number(group.group_id())};
    }
    default:
      return std::nullopt;
  }
}

/// Whether a query names one entity rather than all of a table or profile.
bool isOne(const p4::v1::Entity& query) {
  return query.table_entry().match_size() > 0 || query.action_profile_member().member_id() != 0 ||
         query.action_profile_group().group_id() != 0;
}

class Server final : public p4::v1::P4Runtime::Service {
  using Stream =
      grpc::ServerReaderWriter<p4::v1::StreamMessageResponse, p4::v1::StreamMessageRequest>;

  Status Capabilities(
      ServerContext*, const p4::v1::CapabilitiesRequest*,
      p4::v1::CapabilitiesResponse* response) override {
    response->set_p4runtime_api_version("1.4.1");
    return Status::OK;
  }

  Status StreamChannel(ServerContext*, Stream* stream) override {
    p4::v1::StreamMessageRequest message;
    Status status;
    while (stream->Read(&message)) {
      std::lock_guard lock(mutex);
      status = hear(message, stream);
      if (!status.ok()) break;
    }
    std::lock_guard lock(mutex);
    auto wasPrimary = primary() == stream;
    controllers.erase(stream);
    if (wasPrimary) tellAll();
    return status;
  }

  Status SetForwardingPipelineConfig(
      ServerContext*, const p4::v1::SetForwardingPipelineConfigRequest* request,
      p4::v1::SetForwardingPipelineConfigResponse*) override {
    std::lock_guard lock(mutex);
    if (!isPrimary(request->election_id())) return notPrimary;
    if (request->action() != p4::v1::SetForwardingPipelineConfigRequest::VERIFY_AND_COMMIT)
      return {StatusCode::UNIMPLEMENTED, "only VERIFY_AND_COMMIT is served"};
    config = request->config();
    entries.clear();
    std::cout << "pipeline" << std::endl;
    return Status::OK;
  }

  Status GetForwardingPipelineConfig(
      ServerContext*, const p4::v1::GetForwardingPipelineConfigRequest*,
      p4::v1::GetForwardingPipelineConfigResponse* response) override {
    std::lock_guard lock(mutex);
    if (config) *response->mutable_config() = *config;
    return Status::OK;
  }

  Status Write(
      ServerContext*, const p4::v1::WriteRequest* request, p4::v1::WriteResponse*) override {
    std::lock_guard lock(mutex);
    if (!isPrimary(request->election_id())) return notPrimary;
    if (!config) return {StatusCode::FAILED_PRECONDITION, "there is no pipeline"};
    const auto before = entries;
    std::vector<p4::v1::Error> errors;
    bool hasFailed = false;
    for (auto& update : request->updates()) {
      errors.push_back(apply(update));
      hasFailed |= errors.back().canonical_code() != StatusCode::OK;
    }
    if (!hasFailed) {
      std::cout << "wrote " << errors.size() << std::endl;
      return Status::OK;
    }
    if (request->atomicity() != p4::v1::WriteRequest::CONTINUE_ON_ERROR) {
      entries = before;
      for (auto& error : errors)
        if (error.canonical_code() == StatusCode::OK) {
          error.set_canonical_code(StatusCode::ABORTED);
          error.set_message("taken back");
        }
    }
    google::rpc::Status details;
    details.set_code(StatusCode::UNKNOWN);
    for (auto& error : errors) details.add_details()->PackFrom(error);
    std::cout << "refused " << errors.size() << std::endl;
    return {StatusCode::UNKNOWN, "some updates failed", details.SerializeAsString()};
  }

  Status Read(
      ServerContext*, const p4::v1::ReadRequest* request,
      grpc::ServerWriter<p4::v1::ReadResponse>* writer) override {
    std::lock_guard lock(mutex);
    if (!config) return {StatusCode::FAILED_PRECONDITION, "there is no pipeline"};
    for (auto& query : request->entities()) {
      auto wanted = key(query);
      if (!wanted) return {StatusCode::UNIMPLEMENTED, "entities of this kind are not kept"};
      for (auto& [key, entity] : entries) {
        if (std::get<0>(key) != std::get<0>(*wanted)) continue;
        if (std::get<1>(*wanted) != 0 && std::get<1>(key) != std::get<1>(*wanted)) continue;
        if (isOne(query) && key != *wanted) continue;
        // One a message: a client has to put them together.
        p4::v1::ReadResponse response;
        *response.add_entities() = entity;
        writer->Write(response);
      }
    }
    return Status::OK;
  }

  // The rest is called with the mutex held.

  Status hear(const p4::v1::StreamMessageRequest& message, Stream* stream) {
    if (!message.has_arbitration()) return {StatusCode::INVALID_ARGUMENT, "not served"};
    if (message.arbitration().device_id() != device)
      return {StatusCode::NOT_FOUND, "there is device 1 only"};
    auto id = electionID(message.arbitration().election_id());
    for (auto& [other, present] : controllers)
      if (other != stream && present == id)
        return {StatusCode::INVALID_ARGUMENT, "another controller has this election id"};
    auto before = primary();
    controllers[stream] = id;
    highest = std::max(highest, id);
    if (primary() != before || primary() == stream)
      tellAll();
    else
      tell(stream);
    return Status::OK;
  }

  Stream* primary() const {
    for (auto& [stream, id] : controllers)
      if (id == highest) return stream;
    return nullptr;
  }

  bool isPrimary(const p4::v1::Uint128& id) const {
    return primary() != nullptr && electionID(id) == highest;
  }

  void tellAll() {
    for (auto& controller : controllers) tell(controller.first);
  }

  void tell(Stream* stream) {
    p4::v1::StreamMessageResponse message;
    auto update = message.mutable_arbitration();
    update->set_device_id(device);
    set(update->mutable_election_id(), highest);
    update->mutable_status()->set_code(
        primary() == stream ? StatusCode::OK
        : primary()         ? StatusCode::ALREADY_EXISTS
                            : StatusCode::NOT_FOUND);
    stream->Write(message);
  }

  p4::v1::Error apply(const p4::v1::Update& update) {
    p4::v1::Error error;
    auto refuse = [&](StatusCode code, const std::string& message) {
      error.set_canonical_code(code);
      error.set_message(message);
      return error;
    };
    auto key = ::key(update.entity());
    if (!key) return refuse(StatusCode::UNIMPLEMENTED, "entities of this kind are not kept");
    auto isThere = entries.count(*key) > 0;
    switch (update.type()) {
      case p4::v1::Update::INSERT:
        if (isThere) return refuse(StatusCode::ALREADY_EXISTS, "it is there");
        break;
      case p4::v1::Update::MODIFY:
      case p4::v1::Update::DELETE:
        if (!isThere) return refuse(StatusCode::NOT_FOUND, "it is not there");
        break;
      default:
        return refuse(StatusCode::INVALID_ARGUMENT, "the type is not set");
    }
    if (update.type() == p4::v1::Update::DELETE) {
      if (isUsed(update.entity())) return refuse(StatusCode::FAILED_PRECONDITION, "it is in use");
      entries.erase(*key);
      return error;
    }
    if (!portsExist(update.entity()))
      return refuse(StatusCode::OUT_OF_RANGE, "the port does not exist");
    for (auto& member : update.entity().action_profile_group().members()) {
      p4::v1::Entity found;
      found.mutable_action_profile_member()->set_action_profile_id(
          update.entity().action_profile_group().action_profile_id());
      found.mutable_action_profile_member()->set_member_id(member.member_id());
      if (!entries.count(*::key(found))) return refuse(StatusCode::NOT_FOUND, "no such member");
    }
    entries[*key] = update.entity();
    return error;
  }

  /// A member of a group, or a group of an entry.
  bool isUsed(const p4::v1::Entity& entity) const {
    auto& member = entity.action_profile_member();
    auto& group = entity.action_profile_group();
    for (auto& item : entries) {
      auto& other = item.second;
      if (entity.has_action_profile_group() && other.has_table_entry() &&
          other.table_entry().action().action_profile_group_id() == group.group_id() &&
          implementation(other.table_entry().table_id()) == group.action_profile_id())
        return true;
      if (entity.has_action_profile_member() && other.has_action_profile_group() &&
          other.action_profile_group().action_profile_id() == member.action_profile_id())
        for (auto& each : other.action_profile_group().members())
          if (each.member_id() == member.member_id()) return true;
    }
    return false;
  }

  uint32_t implementation(uint32_t table) const {
    for (auto& each : config->p4info().tables())
      if (each.preamble().id() == table) return each.implementation_id();
    return 0;
  }

  bool portsExist(const p4::v1::Entity& entity) const {
    auto& action = entity.has_table_entry() ? entity.table_entry().action().action()
                                            : entity.action_profile_member().action();
    for (auto& each : config->p4info().actions()) {
      if (each.preamble().id() != action.action_id()) continue;
      for (auto& described : each.params())
        for (auto& param : action.params()) {
          if (described.name() != "port" || described.id() != param.param_id()) continue;
          uint64_t port = 0;
          for (unsigned char byte : param.value()) port = port << 8 | byte;
          if (port >= ports) return false;
        }
    }
    return true;
  }

  const Status notPrimary{StatusCode::PERMISSION_DENIED, "only the primary may do this"};
  std::mutex mutex;
  std::map<Stream*, ElectionID> controllers;
  ElectionID highest{0, 0};
  std::optional<p4::v1::ForwardingPipelineConfig> config;
  Entries entries;
};

void run(const std::string& address, const std::string& folder) {
  grpc::SslServerCredentialsOptions tls(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = contents(folder + "/ca.crt");
  tls.pem_key_cert_pairs.push_back(
      {contents(folder + "/stratum.key"), contents(folder + "/stratum.crt")});
  Server service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::SslServerCredentials(tls), &port);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  if (!server || port == 0) throw std::runtime_error("cannot listen at " + address);
  std::cout << "listening " << port << std::endl;
  server->Wait();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: p4runtime-server HOST:PORT CERTIFICATES\n";
    return 2;
  }
  try {
    run(arguments[1], arguments[2]);
  } catch (const std::exception& error) {
    std::cerr << "p4runtime-server: " << error.what() << "\n";
    return 1;
  }
}
