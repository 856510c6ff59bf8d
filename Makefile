# Every module of the repository is found by its go.mod, never by a list.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.PHONY: test fetch lint fuzz bench bench-durable

MODULES     := $(shell git ls-files --cached --others --exclude-standard '*go.mod' | xargs -n1 dirname | sort)
ifeq ($(MODULES),)
$(error no go.mod found: is this a git clone, and owned by you?)
endif
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
AT_ONCE     ?= 1
FUZZTIME    ?= 60s
BENCHTIME   ?= 300ms
BENCHCOUNT  ?= 6

# The race detector needs a C compiler.
RACE := $(shell command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 && echo -race)

# The race detector leaves out what programs have translated from C to Go: SQLite, and the C
# library below it. They have locks of their own, there as in C, and take six times as long
# under the detector. What calls them is watched, the drivers included. Tests that build
# programs inherit this, and that nothing has tables for a debugger.
UNWATCHED := modernc.org/sqlite/lib modernc.org/libc modernc.org/memory github.com/ncruces/go-sqlite3-wasm/v6
test lint: export GOFLAGS := $(strip $(GOFLAGS) $(UNWATCHED:%=-gcflags=%=-race=false) -ldflags=-w)

# The race detector lets each process sleep for a second at its end: more than a hundred test
# binaries, and the processes they start.
test: export GORACE := $(strip $(GORACE) atexit_sleep_ms=100)

## test: everything that must hold, in every module; some fifty minutes on two cores, less with AT_ONCE=3 on eight
test: lint
	export LOGS=$$(mktemp -d)
	trap 'rm -rf "$$LOGS"' EXIT
	passed=yes
	tests() { if [ $$# -gt 1 ]; then $(MAKE) --no-print-directory --keep-going --jobs="$$@" || passed=no; fi; }
	large=() small=()
	for m in $(MODULES); do
		if [ "$$(go list -C "$$m" ./... | wc -l)" -gt 4 ]; then large+=("test-of/$$m"); else small=("test-of/$$m" "$${small[@]}"); fi
	done
	tests $(AT_ONCE) "$${large[@]}"
	tests $$((2 * $(AT_ONCE))) "$${small[@]}" # few packages leave CPUs idle; the longest do not come last
	for log in "$$LOGS"/*.failed; do
		if [ ! -f "$$log" ]; then break; fi
		echo "== what failed in $$(basename "$$log" .failed | tr : /)"
		awk -f .ci/failed.awk "$$log"
	done
	if [ -z "$(RACE)" ]; then echo "left out: the race detector, for want of a C compiler; get it: apt-get install gcc" >"$$LOGS/race.log"; fi
	cat "$$LOGS"/* | grep '^ran on: ' | sort -u || true
	if ! cat "$$LOGS"/* | grep '^left out: ' | sort -u; then if [ $$passed = yes ]; then echo "all tests ran, nothing was left out"; fi; fi
	[ $$passed = yes ]

# The tests of one module: a line for each package, and all that was printed by what failed.
test-of/%:
	log=$$LOGS/$(subst /,:,$*).log
	echo "== test $*, $$(go list -C "$*" ./... | wc -l) packages"
	if go test -C "$*" $(RACE) -vet=off -shuffle=on -timeout 35m -v ./... 2>&1 | tee "$$log" | { grep --line-buffered -E '^(ok|FAIL|\?) ?' || true; }; then
		echo "== $* passed in $$SECONDS s"
	else
		grep -vE '^(=== |[[:space:]]*--- PASS|PASS$$)' "$$log" || true
		mv "$$log" "$${log%.log}.failed"
		echo "== $* failed after $$SECONDS s"
		exit 1
	fi

## fetch: the modules, and what tests build of them, so that it is ready when the servers are installed
fetch:
	export GOBIN=$$(mktemp -d)
	trap 'rm -rf "$$GOBIN"' EXIT
	go install $(STATICCHECK) & # while the modules come
	staticcheck=$$!
	for m in $(MODULES); do go list -C "$$m" -deps -test ./... >/dev/null; done
	go run -C internal/compose . "$$GOBIN"
	wait $$staticcheck

## lint: format, vet, tidy and staticcheck, in every module
lint:
	export GOBIN=$$(mktemp -d)
	trap 'rm -rf "$$GOBIN"' EXIT
	go install $(STATICCHECK)
	$(MAKE) --no-print-directory --keep-going --jobs=$(AT_ONCE) $(MODULES:%=lint-of/%)
	echo "== lint passed in $$SECONDS s"

# Lint looks at what the tests build, with the race detector: so nothing is built twice.
lint-of/%:
	echo "== lint $*"
	cd "$*"
	unformatted=$$(go list -f '{{.Dir}}' ./... | xargs -I{} find {} -maxdepth 1 -name '*.go' | xargs -r gofmt -l)
	if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted"; exit 1; fi
	go mod tidy -diff
	export GOFLAGS="$(GOFLAGS) $(RACE)"
	go vet ./...
	"$$GOBIN"/staticcheck ./...

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
