package github

import (
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"
)

// The monotonic clock may stop while the machine sleeps, and GitHub's does not.
func TestATokenOfAnAppIsRenewedByTheWallClock(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	j := &appJWT{app: "1", key: key}
	if _, err := j.header(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j.until != j.until.Round(0) { // == compares the monotonic clock too
		t.Errorf("a token is renewed at %v by the monotonic clock", j.until)
	}
	slept := time.Now().Add(-time.Second).Round(0)
	j.until = slept
	if _, err := j.header(t.Context()); err != nil || !j.until.After(slept) {
		t.Errorf("a token that has expired was not renewed, %v", err)
	}
}
