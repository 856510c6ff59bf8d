package limit_test

import (
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/limit"
)

func TestTextsThatADatabaseDoesNotStoreAreRefusedByName(t *testing.T) {
	name, reason := strings.Repeat("\u00e4", 127)+"a", strings.Repeat("a", limit.Reason)
	for _, tt := range []struct {
		change func(t *limit.Texts)
		want   string // of the error; empty: none
	}{
		{func(*limit.Texts) {}, ""},
		{func(t *limit.Texts) {
			*t = limit.Texts{UID: name, Source: name, ID: name, Type: name, OrderingKey: name, KeyLabel: name}
		}, ""},
		{func(t *limit.Texts) { t.Malformed, t.Unsigned, t.DedupKeys = reason, reason, []string{"", name} }, ""},
		{func(t *limit.Texts) { t.UID = "" }, "it has no UID"},
		{func(t *limit.Texts) { t.UID = "a\x00" }, "UID is not UTF-8 without NUL"},
		{func(t *limit.Texts) { t.Source = "\xff" }, "Source is not UTF-8 without NUL"},
		{func(t *limit.Texts) { t.ID = name + "b" }, "ID of 256 bytes, over 255"},
		{func(t *limit.Texts) { t.Type = name + "b" }, "Type of 256 bytes, over 255"},
		{func(t *limit.Texts) { t.OrderingKey = "\xe4" }, "OrderingKey is not UTF-8 without NUL"},
		{func(t *limit.Texts) { t.KeyLabel = name + "b" }, "KeyLabel of 256 bytes, over 255"},
		{func(t *limit.Texts) { t.Malformed = reason + "b" }, "Malformed of 4097 bytes, over 4096"},
		{func(t *limit.Texts) { t.Unsigned = "\x00" }, "Unsigned is not UTF-8 without NUL"},
		{func(t *limit.Texts) { t.DedupKeys = []string{"a", name + "b"} }, "dedup key of 256 bytes, over 255"},
		{func(t *limit.Texts) { t.DedupKeys = []string{"a", "\x00"} }, "dedup key is not UTF-8 without NUL"},
	} {
		texts := limit.Texts{UID: "1"}
		tt.change(&texts)
		got := ""
		if err := texts.Check(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%.200q: got %q, want %q", texts, got, tt.want)
		}
	}
}
