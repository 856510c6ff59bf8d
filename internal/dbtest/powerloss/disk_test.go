package powerloss_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/hookhouse/hookhouse/internal/dbtest/powerloss"
)

// A folder uses a disk as SQLite does.
type folder struct {
	t    *testing.T
	disk *powerloss.Disk
}

func (f folder) open(name string) vfs.File {
	f.t.Helper()
	file, _, err := f.disk.Open(name, vfs.OPEN_MAIN_JOURNAL|vfs.OPEN_CREATE|vfs.OPEN_READWRITE)
	if err != nil {
		f.t.Fatal(err)
	}
	return file
}

func (f folder) write(name, text string, at int64) {
	f.t.Helper()
	if _, err := f.open(name).WriteAt([]byte(text), at); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) sync(name string) {
	f.t.Helper()
	if err := f.open(name).Sync(vfs.SYNC_FULL); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) truncate(name string, size int64) {
	f.t.Helper()
	if err := f.open(name).Truncate(size); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) delete(name string, syncFolder bool) {
	f.t.Helper()
	if err := f.disk.Delete(name, syncFolder); err != nil {
		f.t.Fatal(err)
	}
}

func TestADiskKeepsOnlyWhatIsSynced(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(f folder)
		want powerloss.Image
	}{
		{"a new file that was not synced is lost", func(f folder) { f.write("a", "new", 0) }, powerloss.Image{}},
		{"a synced file is kept with its name", func(f folder) { f.write("a", "new", 0); f.sync("a") }, powerloss.Image{"a": []byte("new")}},
		{"a write after the sync is lost", func(f folder) {
			f.write("a", "first", 0)
			f.sync("a")
			f.write("a", "F", 0)
			f.write("a", "more", 5)
		}, powerloss.Image{"a": []byte("first")}},
		{"a truncation without a sync is undone", func(f folder) {
			f.write("a", "first", 0)
			f.sync("a")
			f.truncate("a", 1)
		}, powerloss.Image{"a": []byte("first")}},
		{"a truncation with a sync is kept, also after growing again", func(f folder) {
			f.write("a", "first", 0)
			f.sync("a")
			f.truncate("a", 1)
			f.truncate("a", 3)
			f.sync("a")
		}, powerloss.Image{"a": []byte("f\x00\x00")}},
		{"a gap is zeros", func(f folder) { f.write("a", "x", 2); f.sync("a") }, powerloss.Image{"a": []byte("\x00\x00x")}},
		{"a deletion without a sync of the folder is undone", func(f folder) {
			f.write("a", "first", 0)
			f.sync("a")
			f.delete("a", false)
		}, powerloss.Image{"a": []byte("first")}},
		{"a deletion with a sync of the folder is kept", func(f folder) {
			f.write("a", "first", 0)
			f.sync("a")
			f.delete("a", true)
		}, powerloss.Image{}},
		{"the sync of another new file makes a deletion durable", func(f folder) {
			f.write("a", "first", 0)
			f.sync("a")
			f.delete("a", false)
			f.write("b", "other", 0)
			f.sync("b")
		}, powerloss.Image{"b": []byte("other")}},
		{"the sync of an old file does not make a deletion durable", func(f folder) {
			f.write("a", "first", 0)
			f.sync("a")
			f.write("b", "other", 0)
			f.sync("b")
			f.delete("a", false)
			f.sync("b")
		}, powerloss.Image{"a": []byte("first"), "b": []byte("other")}},
		{"a name that is used again has the old file until the new one is synced", func(f folder) {
			f.write("a", "first", 0)
			f.sync("a")
			f.delete("a", false)
			f.write("a", "second", 0)
		}, powerloss.Image{"a": []byte("first")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk, err := powerloss.NewDisk(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer disk.Close()
			c.do(folder{t, disk})
			if diff := cmp.Diff(c.want, disk.Cut(powerloss.Loss{}, nil)); diff != "" {
				t.Errorf("image (-want +got):\n%s", diff)
			}
		})
	}
}

// Every possible mixture of sectors must come, and no other.
func TestALossKeepsSectorsWhole(t *testing.T) {
	disk, err := powerloss.NewDisk(powerloss.Image{"a": []byte("aabbcc")})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	f := folder{t, disk}
	f.write("a", "XXYYcc", 0)
	f.write("a", "ZZ", 6)
	seen := map[string]bool{}
	for seed := range uint64(400) {
		img := disk.Cut(powerloss.Loss{Sector: 2, Share: 0.5, Sizes: true}, rand.New(rand.NewPCG(seed, 0)))
		seen[string(img["a"])] = true
	}
	want := map[string]bool{}
	for _, first := range []string{"aa", "XX"} {
		for _, second := range []string{"bb", "YY"} {
			for _, end := range []string{"", "\x00\x00", "ZZ"} {
				want[first+second+"cc"+end] = true
			}
		}
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

func TestALossMayUndoADeletion(t *testing.T) {
	disk, err := powerloss.NewDisk(powerloss.Image{"a": []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	folder{t, disk}.delete("a", false)
	there := map[bool]int{}
	for seed := range uint64(40) {
		_, ok := disk.Cut(powerloss.Loss{Sector: 512, Names: true}, rand.New(rand.NewPCG(seed, 0)))["a"]
		there[ok]++
	}
	if there[true] == 0 || there[false] == 0 {
		t.Errorf("the file came back %d times and %d times not, want both", there[true], there[false])
	}
}
