//go:build race

package main

// The program is built with the race detector if the test is.
func init() { buildFlags = []string{"-race"} }
