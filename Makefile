# Faultline: an order platform that breaks on purpose, heals itself, and proves it with numbers.
# `make` alone explains the targets.

MODULES := apps autoheal chaos deploy e2e observability postmortems slo
PACKAGES := $(MODULES:%=./%/...)
COMMANDS := $(wildcard $(MODULES:%=%/cmd/*))
BIN := .faultline/bin
STACK := $(BIN)/stack

# No C compiler is needed to build or test Faultline.
export CGO_ENABLED := 0
# Nothing reads version control stamps, and a checkout that belongs to another user cannot be stamped.
export GOFLAGS := -buildvcs=false $(GOFLAGS)
# Where the tests find promtool, prometheus, alertmanager, loki, jaeger and toxiproxy.
export FAULTLINE_TOOLS_DIR := $(CURDIR)/.faultline/tools

# What `make demo`, `make mttr` and `make bench` read.
TARGET ?= auto
ARM ?= healer
EXPERIMENT ?= connection-leak
ONCE ?=
N ?= 10
ARMS ?= healer,none
EXPERIMENTS ?= connection-leak
SEED ?=
SEEDS ?= 200
FROM ?= 1
POOL_SIZE ?=
RATE ?=
# The ten of `chaos list`, and one that the healer does not know.
ALL := bad-release,connection-leak,lock-contention,look-alike,network-latency,process-kill,server-cap,slow-downstream,slow-query,traffic-surge,payments-errors
PARTS ?= telemetry,repository,path
ROUNDS ?= 5
# Which Postgres image the database tests run against: `airgap` is the one that `stack airgap` builds.
POSTGRES_IMAGE ?= airgap
# Packages of e2e that need long, and some of them a quiet machine.
LONG := efficacy faults capacity abuse harm ladder

.DEFAULT_GOAL := help
.PHONY: help demo test test-all simulate test-kind test-containers lint fmt mttr study bench bench-go bench-intake up status down build tools generate clean

help: ## Show this page
	@echo "Faultline: make <target>"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  First time? 'make demo'. It builds what it needs (about ten minutes once, then seconds) and tells the story."
	@echo "  State, logs and records live in .faultline/; 'make down' stops everything, 'make clean' removes it."

demo: build ## Break the pool, watch it heal, read the postmortem (ONCE=1, ARM=healer|none, TARGET=auto|local|kind)
	@$(BIN)/demo --target=$(TARGET) --arm=$(ARM) --experiment=$(EXPERIMENT) $(if $(ONCE),--once)

test: build tools ## Every test that needs no Docker: unit, real Postgres, real Kubernetes API, the closed loop on the real stack
	@$(STACK) tools --dir=.faultline/tools kube-apiserver kube-controller-manager etcd
	$(STACK) apiserver -- $(STACK) postgres -- go test $$(go list $(filter-out ./autoheal/... ./e2e/...,$(PACKAGES)) | grep -v /postgrescontainer)
	$(STACK) apiserver -- $(STACK) postgres -- go test ./autoheal/... # one of its tests takes every slot of the server
	go test -p 1 -count=1 -timeout 20m $$(go list ./e2e/... | grep -v $(foreach suite,kindloop $(LONG),-e '/e2e/$(suite)$$')) # the cache does not know the stack that these tests start

test-all: test ## Every test, and the long ones: each fault on the real stack, its effect and its way back; the saturation rate against a load step; the healer killed, blinded, flooded, tempted to do harm (an hour more, quiet machine)
	go test -p 1 -count=1 -timeout 40m -v $(LONG:%=./e2e/%)
	$(MAKE) simulate SEEDS=1000

simulate: ## Seeds of the healer's simulation in virtual time, each about a dozen incidents (SEEDS=200 FROM=1; one core)
	GOGC=400 go test -count=1 -timeout 12h -v -run TestTheInvariantsHold ./autoheal/simulate -seeds $(SEEDS) -from $(FROM)

test-containers: build tools ## The database tests against Postgres in a container (needs a Docker engine, and `stack airgap` or POSTGRES_IMAGE=)
	go test -count=1 ./deploy/local/postgrescontainer/...
	$(if $(filter airgap,$(POSTGRES_IMAGE)),FAULTLINE_TEST_AIRGAP=1 go test -count=1 -run Real ./deploy/airgap/)
	$(STACK) postgres --image=$(POSTGRES_IMAGE) -- go test -count=1 ./apps/internal/... ./apps/orders/... ./apps/inventory/... ./observability/pgxpooltel/... ./chaos/fault/... ./chaos/runner/... ./chaos/cmd/... ./slo/capacity/postgres/...
	$(STACK) postgres --image=$(POSTGRES_IMAGE) -- go test -count=1 ./autoheal/pgadmin/...

test-kind: build ## The story on a kind cluster, with the control arm (needs a Docker engine)
	go test -count=1 -timeout 40m -v ./e2e/kindloop/
	FAULTLINE_TEST_KIND=1 go test -count=1 -timeout 10m -run Real ./deploy/kind/

lint: ## gofumpt, vet, the house's arrows, and what else .golangci.yml asks for
	@go build -o $(BIN)/stack ./deploy/cmd/stack
	@$(STACK) tools --dir=.faultline/tools golangci-lint
	@for module in $(MODULES); do echo "lint $$module"; (cd $$module && $(FAULTLINE_TOOLS_DIR)/golangci-lint run --config=../.golangci.yml ./...) || exit 1; done

fmt: ## Format the code the way lint wants it
	@for module in $(MODULES); do (cd $$module && $(FAULTLINE_TOOLS_DIR)/golangci-lint fmt --config=../.golangci.yml ./...) || exit 1; done

mttr: build ## Measure MTTR: N trials for each of ARMS and EXPERIMENTS (N=10 ARMS=healer,restart-bot,accept-bot,none EXPERIMENTS=all SEED= TARGET= POOL_SIZE= RATE=)
	@$(BIN)/mttr --n=$(N) --arms=$(ARMS) --experiments=$(EXPERIMENTS) --target=$(TARGET) $(if $(SEED),--seed=$(SEED)) $(if $(POOL_SIZE),--pool-size=$(POOL_SIZE)) $(if $(RATE),--rate=$(RATE))

study: build ## All ten experiments and an unknown one, healed: five times as they are, then once in a shop of another size (an hour, quiet machine)
	@missed=0; for size in '--n=5' '--n=1 --pool-size=3 --rate=30'; do \
		$(BIN)/mttr --arms=healer --experiments=$(ALL) --target=local $$size || missed=1; done; exit $$missed

bench: build ## Measure the cost of telemetry and of the repository layer, and the path (PARTS=telemetry,repository,path,capacity ROUNDS=5)
	@$(BIN)/bench --parts=$(PARTS) --rounds=$(ROUNDS)

bench-go: build tools ## The Go benchmarks of single functions
	$(STACK) postgres -- go test -run '^$$' -bench . -benchmem $(PACKAGES)

bench-intake: ## Measure the healer's intake: ten thousand alerts at once, and the rate that it takes for long (a minute)
	go test -run '^$$' -bench . -benchtime 1x ./autoheal/bench

up: build ## Start the stack and return when everything is ready (TARGET=kind: on a kind cluster)
	@$(STACK) $(if $(filter kind,$(TARGET)),kind )up

status: ## What runs, and how much memory it takes
	@$(STACK) status --memory

down: ## Stop the stack, or take the cluster away; leave nothing behind
	@if [ -d .faultline/test-kind/.faultline/run ]; then $(STACK) --root=.faultline/test-kind kind down; fi
	@if [ -x $(STACK) ]; then $(STACK) down; else echo "nothing was ever started here"; fi

build: ## Compile our programs into .faultline/bin
	@mkdir -p $(BIN)
	@go build -ldflags='-s -w' -o $(BIN)/ $(COMMANDS:%=./%)

tools: build ## Find or build Prometheus, Alertmanager, Loki, Jaeger and Toxiproxy
	@$(STACK) tools --dir=.faultline/tools

generate: tools ## Rewrite generated files (golden files of the tests, rules, pins of the tools)
	go test ./postmortems/report -update
	go test ./chaos/mesh -update -run 'CRDs|BecomesOneResource'
	go test ./slo/rules -update -run CommittedFiles
	go test ./slo/detection -update
	go test ./observability/contract -update
	go test ./observability/grafana -update
	go test ./deploy/kubernetes -update -run 'GoldenFiles|TestTheTableOfDifferencesIsUpToDateAndTheOverlaysTrulyDiffer'
	go test ./e2e/signature -update
	go test ./autoheal/engine -update -run TestTheRecordThatTheCommandLineReplays
	cd deploy && go generate ./toolchain

clean: down ## Stop the stack and remove .faultline (the tools' cache stays)
	@rm -rf .faultline
