#!/usr/bin/env bash
# Regenerates the checked-in protobuf and gRPC code. The interfaces of P4Runtime
# and gNMI are taken from the descriptors in their published Python packages, our
# own from proto/.
set -euo pipefail
cd "$(dirname "$0")/.."

work=.build-protos
scripts/protos/descriptors.sh "$work"

for plugin in protoc-gen-swift protoc-gen-grpc-swift-2; do
  swift build --package-path scripts/protos --scratch-path "$work/plugins" --product "$plugin"
done
bin=$work/plugins/debug

# generate FOLDER DESCRIPTORS|-I FOLDER  FILES… [-- FILES WITH SERVICES…]
generate() {
  local out=$1 source=$2
  shift 2
  local messages=() services=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do messages+=("$1"); shift; done
  [ $# -gt 0 ] && shift
  services=("$@")
  local options=Visibility=Public,FileNaming=PathToUnderscores,UseAccessLevelOnImports=true
  rm -rf "$out"
  mkdir -p "$out"
  protoc "$source" --plugin="$bin/protoc-gen-swift" --swift_out="$out" --swift_opt="$options" \
    "${messages[@]}" "${services[@]}"
  if [ ${#services[@]} -gt 0 ]; then
    protoc "$source" --plugin="$bin/protoc-gen-grpc-swift-2" --grpc-swift-2_out="$out" \
      --grpc-swift-2_opt="$options,Client=true,Server=true" "${services[@]}"
  fi
}

generate Sources/Daemons/P4RuntimeProtos --descriptor_set_in="$work/p4runtime.ds" \
  google/rpc/status.proto p4/config/v1/p4types.proto p4/config/v1/p4info.proto p4/v1/p4data.proto \
  -- p4/v1/p4runtime.proto
generate Sources/Daemons/GNMIProtos --descriptor_set_in="$work/gnmi.ds" gnmi_ext.proto -- gnmi.proto
generate Sources/Daemons/PipelineProtos -Iproto stratum/pipeline_config.proto
generate Sources/Daemons/InfraProtos -Iproto felixbackend.proto \
  -- cnibackend.proto infra.proto k8sdp/v1/translations.proto
generate Sources/Daemons/HealthProtos -Iproto -- grpc/health/v1/health.proto
generate Sources/Daemons/InspectionProtos -Iproto -- k8sdp/v1/inspection.proto
