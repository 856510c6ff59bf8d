module github.com/hookhouse/hookhouse/internal/bench

go 1.26.0

require (
	github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3
	github.com/go-playground/webhooks/v6 v6.4.0
	github.com/google/go-cmp v0.7.0
	github.com/google/go-github/v84 v84.0.0
	github.com/hookhouse/hookhouse v0.0.0-00010101000000-000000000000
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
)

require (
	github.com/google/go-querystring v1.2.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/hookhouse/hookhouse => ../..
