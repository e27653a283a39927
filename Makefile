# `make` alone lists what there is. The two that a newcomer needs: make demo, make test.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

version := $(shell git describe --tags --always --dirty --match 'v*' 2>/dev/null || echo dev)
ldflags := -w -X main.version=$(version)
modules := proto pkg pkg/local services/tenant services/backup services/rotation services/alerting services/gateway cmd/naksha
binaries := cmd/naksha services/tenant/cmd/tenant services/backup/cmd/backup services/rotation/cmd/rotation \
	services/alerting/cmd/alerting services/gateway/cmd/gateway
# Packages in parallel. Each has its own Postgres, NATS or S3: more than two starve each other on a small machine.
export p ?= 2

# A clone that belongs to another user makes git, and with it the stamping of builds, fail.
export GOFLAGS ?= -buildvcs=false

.PHONY: help demo test setup build generate lint fmt tidy ci bench soak clean

help: ## list these commands
	@printf 'Naksha Cloud %s\n\n' '$(version)'
	@bold= plain=; [ ! -t 1 ] || { bold=$$(printf '\033[1m') plain=$$(printf '\033[0m'); }; \
		awk -F ':.*## ' -v b="$$bold" -v p="$$plain" '/^[a-z]+:.*## / {printf "  %smake %-9s%s %s\n", b, $$1, p, $$2}' Makefile

demo: setup build ## the main job, end to end on real parts in a temporary directory; exits non-zero if a claim fails
	@bin/naksha demo $(args)

test: setup ## every test of every module with the race detector, and the promises of docs/acceptance.md
	@tools/test $(args)

setup: ## what the commands need beside Go: PostgreSQL 15 or newer and a C compiler
	@tools/setup

build: ## all binaries into bin/
	@mkdir -p bin
	@for b in $(binaries); do \
		name=$$(basename $$b); [ $$name = naksha ] || name=naksha-$$name; \
		go build -trimpath -ldflags '$(ldflags)' -o bin/$$name ./$$b; done
	@ls bin | sed 's|^|built bin/|'

generate: ## Go, REST and OpenAPI from the protos; docs/permissions.md and docs/events.md
	@tools/generate

lint: ## formatting, protos, vet, staticcheck
	@tools/lint

fmt: ## format Go and protos
	@export PATH="$$(tools/install buf gofumpt):$$PATH"; git ls-files -z '*.go' | grep -zvE '(^|/)gen/|\.pb(\.gw)?\.go$$' | xargs -0r gofumpt -w; buf format -w --path proto/naksha

tidy: ## one version of each dependency for all modules, and go mod tidy in every one
	@go work sync
	@for m in $(modules); do (cd $$m && GOWORK=off go mod tidy); done

ci: ## what must pass before a change is taken
	@.ci/run

bench: ## measured figures as ratios against a plain peer in the same run
	@go test -trimpath -ldflags=-w -run '^$$' -bench . -benchtime 3s -p 1 work

soak: setup build ## for hours: 500 kills, 20 power losses, sick disks, 10,000 simulated worlds, then rounds=N demos (default 3); run=… picks tests
	@tools/soak
	@for n in $$(seq $${rounds:-3}); do echo "round $$n"; bin/naksha demo; done

clean: ## remove bin/
	@rm -rf bin
