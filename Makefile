# The commands of a contributor. `make help` lists them, CONTRIBUTING.md explains.

GO         ?= go
PKG        ?= ./...
TIMEOUT    ?= 45m
TESTFLAGS  ?=
BENCH      ?= .
BENCHFLAGS ?=

# What `make soak` multiplies.
SOAKTIMEOUT ?= 3h
SEEDS       ?= 2000
FUZZTIME    ?= 2m

POSTGRES = scripts/with-postgres.sh

# SQLite is C that was translated to Go. The race detector sees none of the memory
# that it allocates, and looking in vain makes it four times slower. Nor has a
# hash function anything to share. The driver around SQLite is watched, as is
# everything else.
RACE = -race $(addsuffix =-race=false,$(addprefix -gcflags=,\
	modernc.org/sqlite/lib modernc.org/libc/... modernc.org/memory golang.org/x/crypto/...))
export GO

.DEFAULT_GOAL := help

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: test
test: install ## Run all tests with -race beside a throw-away PostgreSQL; a skipped test is a failure
	@$(GO) list -test -deps -export $(RACE) $(PKG) >/dev/null # compiles with all cores; -p=1 is for running
	@$(POSTGRES) $(GO) run ./internal/skipcheck -p=1 $(RACE) -shuffle=on -timeout=$(TIMEOUT) $(TESTFLAGS) $(PKG)

.PHONY: soak
soak: install ## The same for hours: many seeds (SEEDS), every fuzz target for FUZZTIME
	@ROSTER_SOAK=1 ROSTER_SEEDS=$(SEEDS) $(POSTGRES) \
		$(GO) run ./internal/skipcheck -tags=soak $(RACE) -shuffle=on -timeout=$(SOAKTIMEOUT) $(TESTFLAGS) $(PKG)
	@$(POSTGRES) scripts/fuzz.sh $(FUZZTIME) $(PKG)

.PHONY: lint
lint: ## Check format (gofumpt), go vet, staticcheck and golangci-lint
	@scripts/lint.sh

.PHONY: fmt
fmt: ## Format all Go files
	@$(GO) tool -modfile=tools.mod gofumpt -w .

.PHONY: bench
bench: install ## Run the benchmarks (BENCH=regexp) and print what each compares itself with
	@$(POSTGRES) scripts/bench.sh -bench='$(BENCH)' $(BENCHFLAGS) $(PKG)

.PHONY: cover
cover: install ## Measure what the tests cover, by package and least covered function
	@$(POSTGRES) scripts/cover.sh $(PKG)

.PHONY: install
install:
	@scripts/install.sh
