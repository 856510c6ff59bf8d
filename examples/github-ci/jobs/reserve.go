package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// diskInterval is how often the free space is read while a job runs.
const diskInterval = 100 * time.Millisecond

// A Reserve is the free space that jobs leave on a file system, so that they do not fill
// it: a database may be on it. A job that writes faster than it can be stopped within a
// tenth of a second takes a part of it.
type Reserve struct {
	Path string // on the file system
	Size Size   // 0 means none
}

// IsShort reports whether less than the reserve is free, so that no job should begin.
func (r Reserve) IsShort() (bool, error) { return r.isBelow(r.Size) }

// HasRoom reports whether the reserve is still free after n bytes more are written.
func (r Reserve) HasRoom(n int64) (bool, error) {
	short, err := r.isBelow(r.Size + Size(n))
	return !short, err
}

// isBelow reports whether less than n bytes are free. Without a reserve it reports false.
func (r Reserve) isBelow(n Size) (bool, error) {
	if r.Size == 0 {
		return false, nil
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(r.Path, &s); err != nil {
		return false, fmt.Errorf("reading the free space of %s: %w", r.Path, err)
	}
	return int64(s.Bavail)*int64(s.Bsize) < int64(n), nil
}

// Watch calls full once less than half of the reserve is free, so that jobs should be
// stopped. It returns then, or when ctx is done.
func (r Reserve) Watch(ctx context.Context, full func()) {
	tick := time.NewTicker(diskInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if short, _ := r.isBelow(r.Size / 2); short {
				full()
				return
			}
		}
	}
}

// A Size is a number of bytes. It is a flag.Value: 500M, or 2G.
type Size int64

// Set reads a number with an optional unit K, M, G or T, of which each is 1024 of the one
// before.
func (b *Size) Set(text string) error {
	digits, shift := text, 0
	for i, unit := range []string{"K", "M", "G", "T"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			digits, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > 1<<20 && shift > 0 || n<<shift>>shift != n {
		return errors.New("want a number of bytes, such as 500M or 2G")
	}
	*b = Size(n << shift)
	return nil
}

// String returns the number with the largest unit that divides it.
func (b Size) String() string {
	for i, unit := range []string{"T", "G", "M", "K"} {
		if shift := 10 * (4 - i); b > 0 && b%(1<<shift) == 0 {
			return strconv.FormatInt(int64(b>>shift), 10) + unit
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
