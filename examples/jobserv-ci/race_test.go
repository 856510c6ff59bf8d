//go:build race

package main

// The program is built as its test is.
func init() { buildFlags = []string{"-race"} }
