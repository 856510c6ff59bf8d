package powerloss

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// A Loss says what becomes of bytes that were written and not synced when the
// power fails. The zero Loss loses them all.
type Loss struct {
	// Sector is how many bytes are written whole or not at all. Zero means that
	// nothing unsynced is written.
	Sector int
	// Share is the part of the sectors that were written in time, from 0 to 1;
	// which ones is for chance. Zero means none.
	Share float64
	// Sizes lets chance decide, for each file, whether it is as long as before or
	// as after, or where it grew, has got part of the way. A file system cuts off
	// at once or not at all. Zero means as before.
	Sizes bool
	// Names lets chance decide, for each name, whether a creation or deletion that
	// was not synced has happened. Zero means that it has not.
	Names bool
}

// Cut returns what is on the disk when the power fails now. The disk itself goes
// on. Chance is by r, which the zero Loss does not use: nil is allowed then.
func (d *Disk) Cut(l Loss, r *rand.Rand) Image {
	d.mu.Lock()
	defer d.mu.Unlock()
	img := make(Image, len(d.kept))
	for name, f := range d.names(l, r) {
		img[name] = f.cut(l, r)
	}
	return img
}

// names returns the folder as the loss leaves it.
func (d *Disk) names(l Loss, r *rand.Rand) map[string]*file {
	if !l.Names {
		return d.kept
	}
	var all []string
	for name := range d.kept {
		all = append(all, name)
	}
	for name := range d.seen {
		all = append(all, name)
	}
	slices.Sort(all) // so that a seed means one image
	left := make(map[string]*file, len(all))
	for _, name := range slices.Compact(all) {
		f := d.kept[name]
		if now := d.seen[name]; now != f && r.IntN(2) == 0 {
			f = now
		}
		if f != nil {
			left[name] = f
		}
	}
	return left
}

// cut returns the bytes of the file as the loss leaves them.
func (f *file) cut(l Loss, r *rand.Rand) []byte {
	left := bytes.Clone(f.kept)
	if l.Sector == 0 {
		return left
	}
	if before, after := len(f.kept), len(f.data); l.Sizes && before != after {
		size := after
		switch r.IntN(3) {
		case 0:
			size = before
		case 1:
			if before < after {
				size = before + r.IntN(after-before)/l.Sector*l.Sector
			}
		}
		left = resize(left, size)
	}
	for at := f.low - f.low%l.Sector; at < min(f.high, len(left), len(f.data)); at += l.Sector {
		end := min(at+l.Sector, len(left), len(f.data))
		if r.Float64() < l.Share {
			copy(left[at:end], f.data[at:end])
		}
	}
	return left
}

func resize(b []byte, size int) []byte {
	if size <= len(b) {
		return b[:size]
	}
	return append(b, make([]byte, size-len(b))...)
}
