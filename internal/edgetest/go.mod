module github.com/hookhouse/hookhouse/internal/edgetest

go 1.26.0

require (
	github.com/hanwen/go-fuse/v2 v2.12.1
	github.com/hookhouse/hookhouse v0.0.0
	github.com/hookhouse/hookhouse/internal/dbtest v0.0.0
	github.com/hookhouse/hookhouse/webhook/rabbitmq v0.0.0
	github.com/rabbitmq/amqp091-go v1.16.0
	golang.org/x/sync v0.24.0
)

require (
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.12.0 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-sqlite3 v0.35.6 // indirect
	github.com/ncruces/go-sqlite3-wasm/v6 v6.3.35304 // indirect
	github.com/ncruces/go-strftime v1.0.0 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	modernc.org/libc v1.77.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
	modernc.org/sqlite v1.60.0 // indirect
)

replace (
	github.com/hookhouse/hookhouse => ../..
	github.com/hookhouse/hookhouse/internal/dbtest => ../dbtest
	github.com/hookhouse/hookhouse/webhook/rabbitmq => ../../webhook/rabbitmq
)
