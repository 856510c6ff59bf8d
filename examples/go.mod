module github.com/hookhouse/hookhouse/examples

go 1.26.0

require (
	github.com/hookhouse/hookhouse v0.0.0
	golang.org/x/sync v0.24.0
)

replace github.com/hookhouse/hookhouse => ../
