package panictest_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/hookhouse/hookhouse/internal/panictest"
)

// A recorder is a testing.TB that notes whether the test would fail.
type recorder struct {
	testing.TB
	failed bool
}

func (*recorder) Helper() {}

func (r *recorder) Fatalf(string, ...any) {
	r.failed = true
	runtime.Goexit()
}

func TestRequireFailsUnlessTheExpectedPanicOccurs(t *testing.T) {
	for name, test := range map[string]struct {
		f     func()
		fails bool
	}{
		"the expected panic": {func() { panic("pkg: New needs a name") }, false},
		"another text":       {func() { panic("other: New needs a name") }, true},
		"a value of no text": {func() { panic(1) }, true},
		"no panic":           {func() {}, true},
		"an error":           {func() { panic(errors.New("pkg: New needs a name")) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				panictest.Require(r, "pkg: New", test.f)
			}()
			<-done
			if r.failed != test.fails {
				t.Errorf("failed = %v, want %v", r.failed, test.fails)
			}
		})
	}
}
