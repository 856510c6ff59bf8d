package jobs

import "testing"

func TestReserveHasRoom(t *testing.T) {
	for _, test := range []struct {
		reserve Size
		writes  int64
		want    bool
	}{{1, 0, true}, {1, 1 << 62, false}, {1 << 62, 0, false}, {0, 1 << 62, true}} {
		if got, err := (Reserve{Path: t.TempDir(), Size: test.reserve}).HasRoom(test.writes); err != nil || got != test.want {
			t.Errorf("a reserve of %d, with %d written: %v, %v, want %v", test.reserve, test.writes, got, err, test.want)
		}
	}
	if _, err := (Reserve{Path: "/nowhere", Size: 1}).HasRoom(1); err == nil {
		t.Error("a missing folder is no error")
	}
}
