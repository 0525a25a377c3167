// A P4Runtime controller on grpc++ that drives a server through everything a controller
// does, and stops at the first answer that is not the specified one.
//
// usage: p4runtime-client HOST:PORT CERTIFICATES P4INFO BUNDLE

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include <chrono>
#include <iostream>
#include <map>
#include <memory>

#include "stack.h"

using google::protobuf::util::MessageDifferencer;
using grpc::StatusCode;

namespace {

constexpr uint64_t device = 1;

void require(bool isTrue, const std::string& what) {
  if (!isTrue) throw std::runtime_error("not so: " + what);
}

void require(const grpc::Status& status, StatusCode code, const std::string& what) {
  require(
      status.error_code() == code,
      what + ": code " + std::to_string(code) + ", but it is " +
          std::to_string(status.error_code()) + " " + status.error_message());
}

/// Waits for minutes, not forever: other programs may have the processors.
void limit(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(5));
}

/// A controller's stream.
class Session {
 public:
  explicit Session(p4::v1::P4Runtime::Stub& stub) {
    limit(context);
    stream = stub.StreamChannel(&context);
  }

  void send(const p4::v1::StreamMessageRequest& message) {
    require(stream->Write(message), "the stream takes a message");
  }

  void arbitrate(ElectionID id) {
    p4::v1::StreamMessageRequest message;
    message.mutable_arbitration()->set_device_id(device);
    set(message.mutable_arbitration()->mutable_election_id(), id);
    send(message);
  }

  p4::v1::StreamMessageResponse next() {
    p4::v1::StreamMessageResponse message;
    require(stream->Read(&message), "the stream has a message");
    return message;
  }

  /// The next message says who is primary.
  void hear(StatusCode code, ElectionID primary, const std::string& what) {
    auto message = next();
    require(message.has_arbitration(), what + ": a message of arbitration");
    auto& update = message.arbitration();
    require(update.status().code() == code, what + ": the status " + update.status().message());
    require(electionID(update.election_id()) == primary, what + ": the primary's election id");
    require(update.device_id() == device, what + ": the device");
  }

  grpc::Status finish() {
    stream->WritesDone();
    p4::v1::StreamMessageResponse message;
    while (stream->Read(&message)) {
    }
    return stream->Finish();
  }

 private:
  grpc::ClientContext context;
  std::unique_ptr<
      grpc::ClientReaderWriter<p4::v1::StreamMessageRequest, p4::v1::StreamMessageResponse>>
      stream;
};

/// k8s_dp's routes, by the names in P4Info.
class Routes {
 public:
  explicit Routes(const p4::config::v1::P4Info& info) {
    for (auto& each : info.tables())
      if (each.preamble().alias() == "routes") table = each;
    for (auto& each : info.actions())
      if (each.preamble().alias() == "route_hop") hop = each;
    require(table.match_fields_size() == 1 && hop.params_size() == 3, "P4Info has the routes");
  }

  p4::v1::Entity wildcard() const {
    p4::v1::Entity entity;
    entity.mutable_table_entry()->set_table_id(table.preamble().id());
    return entity;
  }

  /// 10.0.0.N by a port.
  p4::v1::Entity route(int n, char port = 2) const {
    auto entity = wildcard();
    auto entry = entity.mutable_table_entry();
    auto match = entry->add_match();
    match->set_field_id(table.match_fields(0).id());
    match->mutable_exact()->set_value(std::string{10, 0, char(n >> 8), char(n)});
    auto action = entry->mutable_action()->mutable_action();
    action->set_action_id(hop.preamble().id());
    const std::string values[] = {{port}, {2, 0, 0, 0, 2, 6}, {2, 0, 0, 0, 0, 1}};
    for (int i = 0; i < 3; i++) {
      auto param = action->add_params();
      param->set_param_id(hop.params(i).id());
      param->set_value(values[i]);
    }
    return entity;
  }

 private:
  p4::config::v1::Table table;
  p4::config::v1::Action hop;
};

using Updates = std::vector<std::pair<p4::v1::Update::Type, p4::v1::Entity>>;

class Controller {
 public:
  Controller(p4::v1::P4Runtime::Stub& stub, ElectionID id) : stub(stub), id(id) {}

  grpc::Status push(const p4::v1::ForwardingPipelineConfig& config) {
    p4::v1::SetForwardingPipelineConfigRequest request;
    p4::v1::SetForwardingPipelineConfigResponse response;
    request.set_device_id(device);
    set(request.mutable_election_id(), id);
    request.set_action(p4::v1::SetForwardingPipelineConfigRequest::VERIFY_AND_COMMIT);
    *request.mutable_config() = config;
    grpc::ClientContext context;
    limit(context);
    return stub.SetForwardingPipelineConfig(&context, request, &response);
  }

  grpc::Status write(
      const Updates& updates,
      p4::v1::WriteRequest::Atomicity atomicity = p4::v1::WriteRequest::CONTINUE_ON_ERROR) {
    p4::v1::WriteRequest request;
    p4::v1::WriteResponse response;
    request.set_device_id(device);
    set(request.mutable_election_id(), id);
    request.set_atomicity(atomicity);
    for (auto& [type, entity] : updates) {
      auto update = request.add_updates();
      update->set_type(type);
      *update->mutable_entity() = entity;
    }
    grpc::ClientContext context;
    limit(context);
    return stub.Write(&context, request, &response);
  }

  std::vector<p4::v1::Entity> read(const p4::v1::Entity& query) {
    p4::v1::ReadRequest request;
    request.set_device_id(device);
    *request.add_entities() = query;
    grpc::ClientContext context;
    limit(context);
    auto reader = stub.Read(&context, request);
    std::vector<p4::v1::Entity> entities;
    p4::v1::ReadResponse response;
    while (reader->Read(&response))
      entities.insert(entities.end(), response.entities().begin(), response.entities().end());
    require(reader->Finish(), StatusCode::OK, "a Read");
    return entities;
  }

 private:
  p4::v1::P4Runtime::Stub& stub;
  ElectionID id;
};

/// The canonical codes of a batch's updates, from the status's details.
std::vector<int> codes(const grpc::Status& status) {
  google::rpc::Status details;
  require(details.ParseFromString(status.error_details()), "the details are a google.rpc.Status");
  require(details.code() == status.error_code(), "the details have the call's code");
  std::vector<int> codes;
  for (auto& any : details.details()) {
    p4::v1::Error error;
    require(any.UnpackTo(&error), "a detail is a p4.v1.Error");
    codes.push_back(error.canonical_code());
  }
  return codes;
}

p4::v1::ForwardingPipelineConfig pipeline(const std::string& info, const std::string& bundle) {
  p4::v1::ForwardingPipelineConfig config;
  require(
      google::protobuf::TextFormat::ParseFromString(contents(info), config.mutable_p4info()),
      info + " is a P4Info in text");
  config.set_p4_device_config(contents(bundle));
  config.mutable_cookie()->set_cookie(0xC0FFEE);
  return config;
}

void secondController(p4::v1::P4Runtime::Stub& stub, Session& first, const Routes& routes) {
  Session second(stub);
  second.arbitrate({0, 9});
  second.hear(StatusCode::ALREADY_EXISTS, {0, 10}, "a lower election id");
  require(
      Controller(stub, {0, 9}).write({{p4::v1::Update::INSERT, routes.route(900)}}),
      StatusCode::PERMISSION_DENIED, "a Write of a backup");
  // Of 128 bits, the high ones count first.
  second.arbitrate({1, 0});
  second.hear(StatusCode::OK, {1, 0}, "a higher election id");
  first.hear(StatusCode::ALREADY_EXISTS, {1, 0}, "the one that was primary");
  require(
      Controller(stub, {0, 10}).write({{p4::v1::Update::INSERT, routes.route(900)}}),
      StatusCode::PERMISSION_DENIED, "a Write of the one that was primary");
  require(second.finish(), StatusCode::OK, "the end of the second stream");
  first.hear(StatusCode::NOT_FOUND, {1, 0}, "a primary that leaves");
  std::cout << "backup, takeover, loss of the primary\n";
}

void entries(Controller& controller, const Routes& routes) {
  Updates batch;
  for (int n = 1; n <= 1000; n++) batch.push_back({p4::v1::Update::INSERT, routes.route(n)});
  require(controller.write(batch), StatusCode::OK, "a Write of 1,000 entries");
  auto rows = controller.read(routes.wildcard());
  require(rows.size() == 1000, "1,000 entries are read");
  std::map<std::string, p4::v1::Entity> byKey;
  for (auto& row : rows) byKey[row.table_entry().match(0).exact().value()] = row;
  for (auto& [type, entity] : batch)
    require(
        MessageDifferencer::Equals(entity, byKey[entity.table_entry().match(0).exact().value()]),
        "an entry is read as it was written: " + entity.ShortDebugString());

  require(
      controller.write(
          {{p4::v1::Update::MODIFY, routes.route(1, 3)},
           {p4::v1::Update::DELETE, routes.route(2)}}),
      StatusCode::OK, "MODIFY and DELETE");
  rows = controller.read(routes.route(1));
  require(
      rows.size() == 1 && MessageDifferencer::Equals(rows[0], routes.route(1, 3)),
      "what MODIFY left");
  require(controller.read(routes.route(2)).empty(), "what DELETE left");
  require(controller.read(routes.wildcard()).size() == 999, "999 entries are left");
  std::cout << "1,000 entries written, read, changed, deleted\n";
}

void errors(Controller& controller, const Routes& routes) {
  const Updates batch = {
      {p4::v1::Update::INSERT, routes.route(2001)},
      {p4::v1::Update::INSERT, routes.route(1)},
      {p4::v1::Update::DELETE, routes.route(2003)},
      {p4::v1::Update::INSERT, routes.route(2002)}};
  auto status = controller.write(batch);
  require(status, StatusCode::UNKNOWN, "a batch with errors");
  require(
      codes(status) == std::vector<int>{0, StatusCode::ALREADY_EXISTS, StatusCode::NOT_FOUND, 0},
      "one error an update, in order");
  require(
      controller.read(routes.route(2001)).size() == 1 &&
          controller.read(routes.route(2002)).size() == 1,
      "the good updates have taken effect");
  for (auto atomicity :
       {p4::v1::WriteRequest::ROLLBACK_ON_ERROR, p4::v1::WriteRequest::DATAPLANE_ATOMIC}) {
    status = controller.write(
        {{p4::v1::Update::INSERT, routes.route(2004)}, {p4::v1::Update::INSERT, routes.route(1)}},
        atomicity);
    require(status, StatusCode::UNKNOWN, "an atomic batch with an error");
    require(
        codes(status) == std::vector<int>{StatusCode::ABORTED, StatusCode::ALREADY_EXISTS},
        "the good update was taken back");
    require(controller.read(routes.route(2004)).empty(), "nothing of the batch is left");
  }
  // grpc-core loses the whole status when its metadata exceed 16 KiB.
  Updates many;
  for (int n = 3000; n < 3500; n++) many.push_back({p4::v1::Update::DELETE, routes.route(n)});
  status = controller.write(many);
  require(status, StatusCode::UNKNOWN, "500 errors");
  require(
      status.error_message().find("500 of 500") != std::string::npos,
      "the message counts them: " + status.error_message());
  std::cout << "errors with details, and too many for them\n";
}

void streamErrors(Session& session) {
  p4::v1::StreamMessageRequest message;
  message.mutable_digest_ack()->set_digest_id(77);
  session.send(message);
  auto answer = session.next();
  require(
      answer.has_error() && answer.error().canonical_code() == StatusCode::INVALID_ARGUMENT &&
          answer.error().digest_list_ack().digest_list_ack().digest_id() == 77,
      "an unknown digest is named");
  session.arbitrate({2, 0});
  session.hear(StatusCode::OK, {2, 0}, "the stream goes on");
  message.mutable_packet()->set_payload("frame");
  session.send(message);
  answer = session.next();
  require(
      answer.has_error() && answer.error().canonical_code() == StatusCode::UNIMPLEMENTED &&
          answer.error().packet_out().packet_out().payload() == "frame",
      "a packet without a controller's port is named");
  session.arbitrate({2, 1});
  session.hear(StatusCode::OK, {2, 1}, "the stream goes on");
  std::cout << "errors of the stream\n";
}

void run(
    const std::string& address, const std::string& folder,
    const p4::v1::ForwardingPipelineConfig& config) {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = contents(folder + "/ca.crt");
  {
    // A server that wants a certificate has none of this.
    auto stub = p4::v1::P4Runtime::NewStub(
        grpc::CreateChannel(address, grpc::SslCredentials(tls)));
    grpc::ClientContext context;
    limit(context);
    p4::v1::CapabilitiesResponse response;
    require(
        stub->Capabilities(&context, {}, &response), StatusCode::UNAVAILABLE,
        "a client without a certificate");
  }
  tls.pem_private_key = contents(folder + "/client.key");
  tls.pem_cert_chain = contents(folder + "/client.crt");
  auto stub =
      p4::v1::P4Runtime::NewStub(grpc::CreateChannel(address, grpc::SslCredentials(tls)));
  {
    grpc::ClientContext context;
    limit(context);
    p4::v1::CapabilitiesResponse response;
    require(stub->Capabilities(&context, {}, &response), StatusCode::OK, "Capabilities");
    std::cout << "P4Runtime " << response.p4runtime_api_version() << " over mutual TLS\n";
  }

  const Routes routes(config.p4info());
  Session session(*stub);
  session.arbitrate({0, 10});
  session.hear(StatusCode::OK, {0, 10}, "the first controller");
  Controller controller(*stub, {0, 10});
  require(
      controller.write({{p4::v1::Update::INSERT, routes.route(1)}}),
      StatusCode::FAILED_PRECONDITION, "a Write without a pipeline");
  require(
      Controller(*stub, {0, 11}).push(config), StatusCode::PERMISSION_DENIED,
      "a push with another election id");
  require(controller.push(config), StatusCode::OK, "a push");
  {
    p4::v1::GetForwardingPipelineConfigRequest request;
    p4::v1::GetForwardingPipelineConfigResponse response;
    request.set_device_id(device);
    grpc::ClientContext context;
    limit(context);
    require(
        stub->GetForwardingPipelineConfig(&context, request, &response), StatusCode::OK,
        "GetForwardingPipelineConfig");
    require(
        MessageDifferencer::Equals(response.config(), config), "the config is what was pushed");
  }
  std::cout << "pipeline pushed and read\n";

  entries(controller, routes);
  errors(controller, routes);
  secondController(*stub, session, routes);
  streamErrors(session);
  require(session.finish(), StatusCode::OK, "the end of the stream");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::cerr << "usage: p4runtime-client HOST:PORT CERTIFICATES P4INFO BUNDLE\n";
    return 2;
  }
  try {
    run(arguments[1], arguments[2], pipeline(arguments[3], arguments[4]));
  } catch (const std::exception& error) {
    std::cerr << "p4runtime-client: " << error.what() << "\n";
    return 1;
  }
  std::cout << "all as specified\n";
  return 0;
}
