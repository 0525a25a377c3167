# The everyday commands. `make help` lists them.
SWIFT ?= swift
OUT ?= out
DEMO := Fixtures/curl-service

.PHONY: help deps build release offline test interop e2e lint format protos demo bench bench-server bench-traffic bench-node \
	differences fuzz \
	parser-fuzz sanitize sanitize-address sanitize-thread coverage faults clean \
	programs images push certificates node undeploy-node clean-debian deploy undeploy deploy-check docs docs-check

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

deps: ## Install the Debian packages that the build needs
	@scripts/install-dependencies.sh --build-only

build: deps ## Build everything, debug
	$(SWIFT) build

release: deps ## Build k8sdp, optimised
	$(SWIFT) build -c release --product k8sdp

# What works on captures needs no gRPC, whose build takes three times as long as all the rest.
OFFLINE := .build-offline/release/k8sdp

offline: deps ## Build k8sdp, optimised, without what talks to a running infrap4d
	$(SWIFT) build -c release --product k8sdp --traits DPDK --scratch-path .build-offline

# Fixtures and fuzzing take every core for minutes, a node is held to its seconds: what is in between
# runs between them, and nothing beside a node.
PACKETS := ^(CoreTests|SimDataplaneTests|DPDKDataplaneTests|ReplayTests|ParserFuzzTests)\.
NODES := ^(EndToEndTests|CNIBackendTests)\.
TEST = SWIFT=$(SWIFT) scripts/test.py

test: ## Run every test
	@scripts/install-dependencies.sh
	$(SWIFT) build --build-tests
	$(TEST) --filter '$(PACKETS)'
	$(TEST) --skip '$(PACKETS)' --skip '$(NODES)'
	$(TEST) --no-parallel --filter '$(NODES)'
	scripts/make-fixtures.py --check

interop: ## Drive infrap4d with clients of others, and be driven: finsy, p4runtime-shell, pygnmi, grpc++
	@scripts/install-dependencies.sh
	$(SWIFT) build --build-tests
	scripts/interop/all.sh .build/debug/infrap4d
	$(TEST) --filter InteropTests

e2e: ## The whole node end to end: pods, Services, DNS, TLS, rolling updates, kill -9
	@scripts/install-dependencies.sh
	$(SWIFT) build --build-tests
	K8SDP_STORY=1 $(TEST) --no-parallel --filter '^EndToEndTests\.'

# What is measured is what `make programs` makes.
RELEASE = $(SWIFT) build -c release --static-swift-stdlib --product

bench-server: deps ## Measure writes to and reads of an infrap4d, through TLS
	for program in infrap4d infrap4d-bench; do $(RELEASE) $$program || exit 1; done
	.build/release/infrap4d-bench

bench-traffic: ## Measure TCP, small packets and latency between two pods, against the kernel
	@scripts/install-dependencies.sh
	for program in infrap4d gnmi-ctl k8sdp forwarding-bench; do $(RELEASE) $$program || exit 1; done
	scripts/bench-forwarding.py

bench-node: ## Measure a whole node: pods that come and go, Services that change
	@scripts/install-dependencies.sh
	for program in infrap4d inframanager infraagent infra-cni node-bench; do $(RELEASE) $$program || exit 1; done
	.build/release/node-bench

lint: ## Check the format of the sources
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

format: ## Format the sources
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

protos: ## Regenerate the checked-in code of proto/, P4Runtime and gNMI
	scripts/generate-protos.sh

demo: offline ## Replay a real capture through the model and DPDK, and explain it
	@scripts/demo.sh $(OFFLINE) $(DEMO) $(OUT)

bench: offline ## Measure both dataplanes on this machine
	$(OFFLINE) bench

UPSTREAM ?= $(K8SDP_UPSTREAM_PB)

differences: ## Run upstream's pipeline beside ours and write docs/differences.md: UPSTREAM=k8s_dp.pb.bin
	@[ -n "$(UPSTREAM)" ] || { echo "name upstream's pipeline: make differences UPSTREAM=k8s_dp.pb.bin"; exit 2; }
	$(SWIFT) build --product k8sdp
	.build/debug/k8sdp differences --upstream $(UPSTREAM) --document docs/differences.md

FRAMES ?= 10000000
SEED ?= $(shell date +%s)0000
INTERVAL ?= 64

fuzz: offline ## Fuzz model against DPDK: FRAMES frames from SEED on, state compared every INTERVAL frames
	$(OFFLINE) fuzz --seed $(SEED) --frames $(FRAMES) --interval $(INTERVAL) --out $(OUT)/fuzz

SECONDS ?= 60

parser-fuzz: deps ## libFuzzer on each parser of outside bytes, SECONDS each
	OUT=$(OUT) scripts/parser-fuzz.sh $(SECONDS)

sanitize: sanitize-address sanitize-thread ## Both sanitizers

sanitize-address: deps ## The packet code and the shim under AddressSanitizer, driven by the fuzzer
	OUT=$(OUT) scripts/sanitize.sh address

sanitize-thread: deps ## What is concurrent under ThreadSanitizer, driven by its tests
	scripts/sanitize.sh thread

coverage: deps ## What the tests reach of the pipeline and the model, as one HTML page
	scripts/coverage/coverage.py --out $(OUT)/coverage

SAMPLED = $(if $(SAMPLE),--sample $(SAMPLE) --seed $(SEED))

faults: offline ## Put faults into the pipeline and the model, count those found; SAMPLE=N: only N of each, by SEED
	$(OFFLINE) mutate $(SAMPLED) --fixtures Fixtures --equivalent scripts/faults/equivalent-spec.txt
	scripts/faults/model.py $(SAMPLED) --out $(OUT)/faults

DAEMONS := infrap4d k8sdp inframanager infraagent infra-cni gnmi-ctl arp-proxy felix-api-proxy

# Optimising is two thirds of a first build.
QUICK ?=
BUILT := $(if $(QUICK),.build-quick,.build)/release
QUICKLY := $(if $(QUICK),-Xswiftc -Onone -debug-info-format none)

programs: deps ## Build what a node runs, Swift's runtime linked in; QUICK=1 not optimised, to try it
	for program in $(DAEMONS); do $(RELEASE) $$program $(if $(QUICK),--scratch-path .build-quick $(QUICKLY)) || exit 1; done

BUILDER ?= $(firstword $(shell command -v docker podman buildah))
REGISTRY ?= localhost:5000
VERSION ?= latest

images: ## Build the images with docker, podman or buildah: REGISTRY=localhost:5000 VERSION=latest
	@[ -n "$(BUILDER)" ] || { echo "there is no docker, podman or buildah; apt-get install podman"; exit 2; }
	for image in infrap4d inframanager infraagent; do \
	  $(BUILDER) build -f deploy/images/Dockerfile --target $$image -t $(REGISTRY)/$$image:$(VERSION) \
	    $(if $(QUICK),--build-arg SWIFT_OPTIONS="$(QUICKLY)") . || exit 1; \
	done

push: ## Push them, to where the nodes get them: REGISTRY, VERSION, PUSH_OPTIONS=--tls-verify=false
	for image in infrap4d inframanager infraagent; do \
	  $(BUILDER) push $(PUSH_OPTIONS) $(REGISTRY)/$$image:$(VERSION) || exit 1; \
	done

certificates: ## Make the certificates of this node
	scripts/tls/gen_certs.sh

DATAPLANE ?= dpdk

node: ## A node without Kubernetes, and two pods that talk through a Service: DATAPLANE=dpdk|model QUICK=1
	@scripts/install-dependencies.sh --node
	@$(MAKE) programs
	scripts/deploy/node.sh up --dataplane $(DATAPLANE) --programs $(BUILT)
	scripts/deploy/node.sh demo

undeploy-node: ## Leave nothing of it on this node
	scripts/deploy/node.sh down

WITHIN ?= 900

clean-debian: ## make node undeploy-node QUICK=1 on a Debian that has nothing else, WITHIN=900 seconds
	@scripts/install-dependencies.sh
	scripts/deploy/clean_debian.sh --within $(WITHIN)

OVERLAY ?= infra-cni

deploy: ## Install into Kubernetes: OVERLAY=infra-cni|calico|model COMPONENTS=metrics, REGISTRY, VERSION
	scripts/deploy/kubernetes.sh deploy $(OVERLAY) --registry $(REGISTRY) --version $(VERSION) \
	  $(COMPONENTS:%=--component %)

undeploy: ## Remove it from Kubernetes, and from this node when it is one
	scripts/deploy/kubernetes.sh undeploy

deploy-check: ## Check images, manifests, units, certificates, scripts; run what they make
	@scripts/install-dependencies.sh
	$(SWIFT) build --build-tests
	scripts/deploy/check.sh

LIBRARIES := Core SimDataplane DPDKDataplane Replay

docs: deps ## The library's documentation, out/docs: reference, articles, tutorial
	K8SDP_DOCS=1 $(SWIFT) package --allow-writing-to-directory $(OUT)/docs generate-documentation \
	  $(LIBRARIES:%=--target %) --enable-experimental-combined-documentation --warnings-as-errors \
	  --disable-parameters-and-returns-validation \
	  --transform-for-static-hosting --output-path $(OUT)/docs
	@echo "to read it: python3 -m http.server --directory $(OUT)/docs, then http://localhost:8000/documentation"

docs-check: offline ## Run the documentation's commands, or hold them against their programs; follow every link
	@scripts/install-dependencies.sh
	$(SWIFT) build --build-tests
	scripts/docs/check.py

clean: ## Remove what was built
	rm -rf .build .build-asan .build-coverage .build-faults .build-fuzz .build-offline .build-tsan $(OUT)
