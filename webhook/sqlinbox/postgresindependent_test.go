package sqlinbox

import (
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestNextIndependent(t *testing.T) {
	put := func(uid, source, key string, quiet time.Duration, dedupKeys ...string) *job {
		e, err := newEntry(&webhook.Delivery{
			UID: uid, Source: source, OrderingKey: key, DedupKeys: dedupKeys, Coalesce: webhook.Coalesce{Quiet: quiet},
		})
		if err != nil {
			t.Fatal(err)
		}
		return &job{put: e}
	}
	for _, tt := range []struct {
		name string
		puts []*job
		want int // in the first group
	}{
		{"nothing", nil, 0},
		{"one key", []*job{put("1", "a", "k", 0), put("2", "a", "k", 0)}, 2},
		{"one UID", []*job{put("1", "a", "", 0), put("1", "b", "", 0)}, 1},
		{"one dedup key", []*job{put("1", "a", "", 0, "x", "y"), put("2", "a", "", 0, "z", "y")}, 1},
		{"one dedup key of two sources", []*job{put("1", "a", "", 0, "x"), put("2", "b", "", 0, "x")}, 2},
		{"one that coalesces after its key", []*job{put("1", "a", "k", 0), put("2", "b", "k", 0), put("3", "a", "k", 1)}, 2},
		{"one after one that coalesces", []*job{put("1", "a", "k", 1), put("2", "a", "k", 0)}, 1},
		{"those that coalesce under two keys", []*job{put("1", "a", "k", 1), put("2", "a", "l", 1)}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			group, rest := nextIndependent(tt.puts)
			if len(group) != tt.want || len(group)+len(rest) != len(tt.puts) {
				t.Errorf("%d and %d, want %d and the rest", len(group), len(rest), tt.want)
			}
		})
	}
}
