//go:build !linux

package main

// startPostgres starts a server on Linux only.
func startPostgres() (stop func(), err error) { return func() {}, errNoPostgres }
