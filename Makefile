# The everyday commands. `make help` lists them.
SWIFT ?= swift
OUT ?= out
DEMO := Fixtures/curl-service

.PHONY: help deps build release test lint format demo bench clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

deps: ## Install the Debian packages that the build needs
	@scripts/install-dependencies.sh --build-only

build: deps ## Build everything, debug
	$(SWIFT) build

release: deps ## Build k8sdp, optimised
	$(SWIFT) build -c release --product k8sdp

test: ## Run every test
	@scripts/install-dependencies.sh
	$(SWIFT) build --build-tests
	SWIFT_BACKTRACE=enable=no $(SWIFT) test --skip-build
	scripts/make-fixtures.py --check

lint: ## Check the format of the sources
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

format: ## Format the sources
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

demo: release ## Replay a real capture through the model and DPDK, and explain it
	@scripts/demo.sh $(DEMO) $(OUT)

bench: release ## Measure both dataplanes on this machine
	.build/release/k8sdp bench

clean: ## Remove what was built
	rm -rf .build $(OUT)
