# `make` prints what there is to do.
.DEFAULT_GOAL := help
.PHONY: help run build playground generate format lint check test race torture bench seed clean

export CGO_ENABLED ?= 1

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build everything and serve on http://127.0.0.1:8080
	./bin/crmgraph

build: playground ## Build the program, with its pages in it
	go build -o bin/crmgraph .

playground: playground/dist/index.html.gz ## Build the pages: the playground, and that of the contracts

playground/dist/index.html.gz: playground/package-lock.json playground/vite.config.js $(wildcard playground/*.html) $(wildcard playground/src/*) $(wildcard playground/tabs/*)
	cd playground && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

generate: ## Generate graph/ from the schema
	go run ./internal/generate

format: ## Format the code
	gofmt -w $$(git ls-files '*.go')

lint: ## Look for mistakes that compile
	go vet ./...
	go tool -modfile=tools/go.mod golangci-lint run

test: playground ## Run every test, the browser's too
	go test ./...

race: playground ## Run every test with the race detector
	go test -race ./...

OPERATIONS ?= 20000
torture: ## Abuse balances: OPERATIONS=20000 from 64 clients with aborts, duplicates and cut connections
	go test ./crm -run '^TestTorture$$' -count=1 -v -timeout 0 -torture.operations $(OPERATIONS)

check: playground ## All that must pass before a commit: format, generated code, lint, tests with -race
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "run: make format"; exit 1; }
	$(MAKE) generate
	@test -z "$$(git status --porcelain -- graph)" || { git status --short -- graph; echo "graph/ is not what the schema says: commit the generated code"; exit 1; }
	$(MAKE) lint race

bench: ## Measure against a hand-written handler, the loaders alone and PostGraphile (seeds 100,000 customers the first time)
	go run ./bench

seed: build ## Fill the embedded database with the demo tenants
	./bin/crmgraph seed

clean: ## Remove what was built
	rm -rf bin playground/dist/*.gz playground/dist/assets playground/node_modules
