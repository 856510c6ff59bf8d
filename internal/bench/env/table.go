package env

import (
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// Machine describes what the figures were measured with.
func Machine() string {
	return fmt.Sprintf("%s %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// Hashing describes how fast SHA-256 is, at best. With the processor's own
// instructions it is more than a gigabyte per second.
func Hashing() string {
	block := make([]byte, 64<<10)
	best := time.Duration(1 << 62)
	for range 64 {
		start := time.Now()
		_ = sha256.Sum256(block)
		best = min(best, time.Since(start))
	}
	return fmt.Sprintf("SHA-256 at %.0f MB/s", float64(len(block))/best.Seconds()/1e6)
}

// Head begins a table. A column whose name ends in a colon is aligned to the
// right.
func Head(w io.Writer, title string, columns ...string) {
	names, marks := "|", "|"
	for _, c := range columns {
		name, right := strings.CutSuffix(c, ":")
		if right {
			marks += "--:|"
		} else {
			marks += "---|"
		}
		names += strings.Replace(" "+name+" |", "  ", " ", 1)
	}
	fmt.Fprintf(w, "### %s\n\n%s\n%s\n", title, names, marks)
}

// Known returns the figure, or nothing if it is zero.
func Known(figure float64) string {
	if figure == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", figure)
}
