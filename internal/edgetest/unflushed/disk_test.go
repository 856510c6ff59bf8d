package unflushed_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/edgetest/unflushed"
)

// mount returns a disk and its folder, or nil if FUSE is not available.
func mount(t *testing.T) (*unflushed.Disk, string) {
	t.Helper()
	dir := t.TempDir()
	d, err := unflushed.Mount(dir)
	if errors.Is(err, unflushed.ErrNotMounted) {
		fmt.Println("left out:", strings.ReplaceAll(err.Error(), "\n", " "))
		return nil, ""
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return d, dir
}

// A step is done to an open file.
type step func(f *os.File) error

func write(text string) step {
	return func(f *os.File) error { _, err := f.WriteString(text); return err }
}

func overwrite(text string, at int64) step {
	return func(f *os.File) error { _, err := f.WriteAt([]byte(text), at); return err }
}

func truncate(size int64) step { return func(f *os.File) error { return f.Truncate(size) } }

func flush(f *os.File) error { return f.Sync() }

func TestCutForgetsWhatWasNotFlushed(t *testing.T) {
	d, dir := mount(t)
	if d == nil {
		return
	}
	for name, test := range map[string]struct {
		steps       []step
		before, now string // the cut
	}{
		"never flushed":              {[]step{write("abc")}, "abc", ""},
		"flushed":                    {[]step{write("abc"), flush}, "abc", "abc"},
		"appended since":             {[]step{write("abc"), flush, write("def")}, "abcdef", "abc"},
		"flushed twice":              {[]step{write("abc"), flush, write("def"), flush, write("g")}, "abcdefg", "abcdef"},
		"overwritten since":          {[]step{write("abcdef"), flush, overwrite("XY", 2)}, "abXYef", "abcdef"},
		"overwritten and flushed":    {[]step{write("abcdef"), flush, overwrite("X", 1), overwrite("Y", 4), flush}, "aXcdYf", "aXcdYf"},
		"truncated since":            {[]step{write("abcdef"), flush, truncate(2)}, "ab", "abcdef"},
		"truncated and flushed":      {[]step{write("abcdef"), flush, truncate(2), flush}, "ab", "ab"},
		"truncated, grown, flushed":  {[]step{write("abcdef"), flush, truncate(2), truncate(4), flush}, "ab\x00\x00", "ab\x00\x00"},
		"a hole":                     {[]step{overwrite("x", 3), flush}, "\x00\x00\x00x", "\x00\x00\x00x"},
		"grown after it was flushed": {[]step{write("ab"), flush, overwrite("x", 3), flush, overwrite("y", 2)}, "ab" + "yx", "ab\x00x"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, do := range test.steps {
				if err := do(f); err != nil {
					t.Fatal(err)
				}
			}
			wantText(t, path, test.before)
			d.Cut()
			wantText(t, path, test.now)
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func wantText(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestIgnoredFlushKeepsNothing(t *testing.T) {
	d, dir := mount(t)
	if d == nil {
		return
	}
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Flush()
	d.IgnoreFlushes()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, do := range []step{write("def"), flush} {
		if err := do(f); err != nil {
			t.Fatal(err)
		}
	}
	wantText(t, path, "abcdef")
	d.Cut()
	wantText(t, path, "abc")
}

func TestFoldersKeepTheirFiles(t *testing.T) {
	d, dir := mount(t)
	if d == nil {
		return
	}
	sub := filepath.Join(dir, "sub")
	err := errors.Join(
		os.Mkdir(sub, 0o750),
		os.WriteFile(filepath.Join(sub, "a"), []byte("1"), 0o640),
		os.WriteFile(filepath.Join(sub, "b"), []byte("2"), 0o400),
		os.WriteFile(filepath.Join(sub, "c"), []byte("3"), 0o600),
		os.Rename(filepath.Join(sub, "a"), filepath.Join(sub, "b")),
		os.Remove(filepath.Join(sub, "c")),
		os.Rename(filepath.Join(sub, "b"), filepath.Join(dir, "moved")),
		os.WriteFile(filepath.Join(sub, "d"), nil, 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(sub); err == nil {
		t.Error("a folder with a file was removed")
	}
	d.Flush()
	d.Cut()
	wantText(t, filepath.Join(dir, "moved"), "1")
	var names []string
	for _, folder := range []string{dir, sub} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, fmt.Sprint(e.Name(), " ", info.Mode()))
		}
	}
	if want := []string{"moved -rw-r-----", "sub drwxr-x---", "d -rw-------"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}
