module github.com/hookhouse/hookhouse/internal/receivertest

go 1.26.0

replace github.com/hookhouse/hookhouse => ../../

require (
	github.com/hookhouse/hookhouse v0.0.0-00010101000000-000000000000
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
)

require golang.org/x/sync v0.24.0 // indirect
