package jobs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLookupUsers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, names, want string }{
		{"two users", "20001:20001,20002:20002", ""},
		{"none", "", ""},
		{"root", "0:0", "has the same user as root"},
		{"the group of root", "20001:0", "has the same group as root"},
		{"the same user twice", "20001:20001,20001:20002", "has the same user as 20001:20001"},
		{"the same group twice", "20001:20001,20002:20001", "has the same group as 20001:20001"},
		{"a user in the group of another", "20001:20001,20002:20002:20001", "20002:20002:20001 is in the group of 20001:20001"},
		{"a number alone", "20001:", "invalid syntax"},
		{"an unknown name", "no-such-user", "unknown user"},
	} {
		users, err := LookupUsers(tt.names, 2)
		if tt.want == "" {
			if err != nil || users.Len() != 2 {
				t.Errorf("%s: %v", tt.name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestAreaIsEmptyAndRemoved(t *testing.T) {
	t.Parallel()
	d := open(t)
	for range 2 { // the second replaces what the first has left
		a, err := d.Area("x")
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{a.Src, a.Home, a.Tmp} {
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
				t.Fatalf("%s: %v, %v, want it empty", dir, entries, err)
			}
		}
		// As the cache of Go modules does, and a link that must not be followed.
		err = d.Run(t.Context(), shell(d, "cd "+a.Src+" && mkdir -p a/b && touch a/b/c && ln -s "+d.Path()+"/lock link && chmod 0 a/b a", os.Stderr))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := d.RemoveAreas(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(d.work()); err != nil || len(left) > 0 {
		t.Errorf("%v, %v, want no Area", left, err)
	}
	if _, err := os.Stat(filepath.Join(d.Path(), "lock")); err != nil {
		t.Errorf("a link was followed: %v", err)
	}
}

func TestFolderIsPrivate(t *testing.T) {
	t.Parallel()
	d := open(t)
	path, err := d.Folder("logs")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v, want mode 0700", info, err)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{"0": 0, "1023": 1023, "1K": 1 << 10, "500M": 500 << 20, "2G": 2 << 30, "1T": 1 << 40} {
		var got Size
		if err := got.Set(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %d, %v, printed as %s", text, got, err, got)
		}
	}
	for _, text := range []string{"", "G", "-1", "-1G", "1.5G", "1g", "1GB", "99999999999999999999", "9999999T"} {
		if err := new(Size).Set(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestReserve(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for size, want := range map[Size]bool{0: false, 1: false, 1 << 60: true} {
		if got, err := (Reserve{dir, size}).IsShort(); err != nil || got != want {
			t.Errorf("reserve %d: short %t, %v, want %t", size, got, err, want)
		}
	}
	called := make(chan struct{})
	Reserve{dir, 1 << 60}.Watch(t.Context(), func() { close(called) })
	<-called
	if _, err := (Reserve{filepath.Join(dir, "none"), 1}).IsShort(); err == nil {
		t.Error("a missing folder is no error")
	}
}
