package inboxtest

import (
	"bytes"
	"strings"
	"sync"
)

// What is large is made once, since the tests of this package run each law with hundreds of
// inboxes. An inbox never changes a body.
var (
	zeros      = sync.OnceValue(func() []byte { return make([]byte, 3<<20) })
	largeBody  = sync.OnceValue(func() []byte { return bytes.Repeat([]byte("\x00\xff large \r\n"), 1<<17) })
	longReason = sync.OnceValue(func() string { return strings.Repeat("r", 1<<20) })
)

// bodyOf returns a body of the given size, of which only the size matters: 3 MiB at most.
func bodyOf(size int) []byte { return zeros()[:size:size] }
