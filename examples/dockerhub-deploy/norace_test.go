//go:build !race

package main

// buildFlags are the go build flags that match those of the tests.
var buildFlags []string
