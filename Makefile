# Every module of the repository is found by its go.mod, never by a list.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.PHONY: test lint fuzz bench bench-durable

MODULES     := $(shell git ls-files --cached --others --exclude-standard '*go.mod' | xargs -n1 dirname | sort)
ifeq ($(MODULES),)
$(error no go.mod found: is this a git clone, and owned by you?)
endif
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 60s
BENCHTIME   ?= 300ms
BENCHCOUNT  ?= 6

# The race detector needs a C compiler.
RACE := $(shell command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 && echo -race)

# The race detector leaves out two packages: the C code of SQLite, which programs have
# translated to Go. It has locks of its own, there as in C, and takes six times as long
# under the detector. What calls it is watched, the drivers included. Tests that build
# programs inherit this.
UNWATCHED := modernc.org/sqlite/lib github.com/ncruces/go-sqlite3-wasm/v6
test lint: export GOFLAGS := $(strip $(GOFLAGS) $(UNWATCHED:%=-gcflags=%=-race=false))

## test: everything that must hold, in every module; some forty-five minutes on two cores
test: lint
	left=()
	ran=()
	log=$$(mktemp)
	trap 'rm -f "$$log"' EXIT
	i=0
	for m in $(MODULES); do
		i=$$((i + 1))
		echo "== test $$m, module $$i of $(words $(MODULES)), $$(go list -C "$$m" ./... | wc -l) packages, $$((SECONDS / 60)) min so far"
		if ! go test -C "$$m" $(RACE) -vet=off -shuffle=on -timeout 35m -v ./... 2>&1 | tee "$$log" | { grep --line-buffered -E '^(ok|FAIL|\?) ?' || true; }; then
			grep -vE '^(=== |[[:space:]]*--- PASS|PASS$$)' "$$log" || true
			echo "== what failed in $$m"
			awk -f .ci/failed.awk "$$log"
			exit 1
		fi
		while read -r line; do left+=("$$line"); done < <(grep -h '^left out: ' "$$log" | sort -u || true)
		while read -r line; do ran+=("$$line"); done < <(grep -h '^ran on: ' "$$log" | sort -u || true)
	done
	if [ -z "$(RACE)" ]; then left+=("left out: the race detector, for want of a C compiler; get it: apt-get install gcc"); fi
	if [ "$${#ran[@]}" -gt 0 ]; then printf '%s\n' "$${ran[@]}"; fi
	if [ "$${#left[@]}" -gt 0 ]; then printf '%s\n' "$${left[@]}"; else echo "all tests ran, nothing was left out"; fi

## lint: format, vet, tidy and staticcheck, in every module
lint:
	i=0
	for m in $(MODULES); do
		i=$$((i + 1))
		echo "== lint $$m, module $$i of $(words $(MODULES))"
		unformatted=$$(cd "$$m" && go list -f '{{.Dir}}' ./... | xargs -I{} find {} -maxdepth 1 -name '*.go' | xargs -r gofmt -l)
		if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted"; exit 1; fi
		(cd "$$m" && go mod tidy -diff && go vet ./... && $(STATICCHECK) ./...)
	done

## fuzz: each fuzz target of the root module for FUZZTIME
fuzz:
	for p in $$(go list ./...); do
		for f in $$(go test -list '^Fuzz' "$$p" | grep '^Fuzz' || true); do
			echo "== fuzz $$p $$f"
			go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$p"
		done
	done

## bench: receiving beside other libraries and floors in one run, as ratios
bench:
	go run -C internal/bench . -count $(BENCHCOUNT) -benchtime $(BENCHTIME)

## bench-durable: storing and draining beside other libraries, large tables, and Puts while keys are held
bench-durable:
	for b in durable drain scale held; do go run -C internal/bench . $$b; done
