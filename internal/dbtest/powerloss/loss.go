package powerloss

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// A Loss says what happens to bytes that were written and not synced when the power
// fails. The zero Loss loses them all.
type Loss struct {
	// Sector is the number of bytes that are written whole or not at all. Zero means
	// that nothing unsynced is written.
	Sector int
	// Share is the probability that a sector was written in time, from 0 to 1. Zero
	// means that none was.
	Share float64
	// Sizes draws for each file whether it has the old or the new size or, if it grew,
	// a size in between. A file system truncates at once or not at all. If false, each
	// file has the old size.
	Sizes bool
	// Names draws for each name whether a creation or deletion that was not synced has
	// happened. If false, it has not.
	Names bool
}

// Cut returns what is on the disk if the power fails now. The disk itself goes on. r
// may be nil for the zero Loss, which draws nothing.
func (d *Disk) Cut(l Loss, r *rand.Rand) Image {
	d.mu.Lock()
	defer d.mu.Unlock()
	img := make(Image, len(d.durable))
	for name, f := range d.names(l, r) {
		img[name] = f.cut(l, r)
	}
	return img
}

// names returns the folder as the loss leaves it.
func (d *Disk) names(l Loss, r *rand.Rand) map[string]*file {
	if !l.Names {
		return d.durable
	}
	var all []string
	for name := range d.durable {
		all = append(all, name)
	}
	for name := range d.visible {
		all = append(all, name)
	}
	slices.Sort(all) // so that a seed gives one image
	left := make(map[string]*file, len(all))
	for _, name := range slices.Compact(all) {
		f := d.durable[name]
		if now := d.visible[name]; now != f && r.IntN(2) == 0 {
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
	left := bytes.Clone(f.durable)
	if l.Sector == 0 {
		return left
	}
	if before, after := len(f.durable), len(f.data); l.Sizes && before != after {
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
	for at := f.dirtyFrom - f.dirtyFrom%l.Sector; at < min(f.dirtyTo, len(left), len(f.data)); at += l.Sector {
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
