package main

import "testing"

// next returns the next line that the program prints.
func (p *process) next(t *testing.T) string {
	t.Helper()
	if !p.out.Scan() {
		t.Fatal("no more output: p.out.Scan() is false, want true")
	}
	return p.out.Text()
}
