package durable

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/hookhouse/hookhouse/internal/bench/env"
)

const (
	// logSlots is how many records the log holds before it begins anew.
	logSlots = 8192
	// logHead is the size of what comes before the body: a number and a length.
	logHead = 16
	// logGroup is the largest number of records that one sync commits.
	logGroup = 256
)

// A recordLog does what every durable store must do at least: it writes records
// in order of arrival to a file that has its size already, with one fdatasync for
// all that wait. It adds no delay, does not look for duplicates, and could not be
// read by key. It overwrites the oldest records, so it shows the cost of a store
// and is none.
type recordLog struct {
	file *os.File
	slot int // bytes

	mu      sync.Mutex
	waiting []*logged
	running bool

	// Only the goroutine that writes uses these.
	next   uint64 // number of the next record
	buffer []byte
}

type logged struct {
	body []byte
	err  error // set before done is closed
	done chan struct{}
}

// openRawLog makes a log for bodies of at most size bytes.
func openRawLog(folder string, size int) (*recordLog, error) {
	file, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	l := &recordLog{file: file, slot: logHead + size}
	l.buffer = make([]byte, logGroup*l.slot)
	// The file is written and not only extended, as the first sync would allocate it.
	for n := 0; n < logSlots && err == nil; n += logGroup {
		_, err = file.WriteAt(l.buffer, int64(n*l.slot))
	}
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// put returns nil once the body is on disk.
func (l *recordLog) put(_ context.Context, body []byte) error {
	if len(body) > l.slot-logHead {
		return fmt.Errorf("record of %d bytes in a log for %d", len(body), l.slot-logHead)
	}
	r := &logged{body: body, done: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, r)
	if !l.running {
		l.running = true
		go l.write()
	}
	l.mu.Unlock()
	<-r.done
	return r.err
}

// write commits group after group until nothing waits.
func (l *recordLog) write() {
	for {
		l.mu.Lock()
		// A group ends where the file ends.
		n := min(len(l.waiting), logGroup, logSlots-int(l.next%logSlots))
		group := l.waiting[:n:n]
		l.waiting = l.waiting[n:]
		if n == 0 {
			l.waiting, l.running = nil, false
		}
		l.mu.Unlock()
		if n == 0 {
			return
		}
		err := l.commit(group)
		for _, r := range group {
			r.err = err
			close(r.done)
		}
	}
}

func (l *recordLog) commit(group []*logged) error {
	at := int64(l.next%logSlots) * int64(l.slot)
	for i, r := range group {
		l.next++
		record := l.buffer[i*l.slot:][:l.slot]
		binary.LittleEndian.PutUint64(record, l.next)
		binary.LittleEndian.PutUint64(record[8:], uint64(len(r.body)))
		copy(record[logHead:], r.body)
	}
	if _, err := l.file.WriteAt(l.buffer[:len(group)*l.slot], at); err != nil {
		return err
	}
	return env.SyncData(l.file)
}

// count reads the file. The records that are not overwritten must be numbered
// without a gap. The newest number is the count.
func (l *recordLog) count(context.Context) (int, error) {
	numbers := make(map[uint64]bool, logSlots)
	newest := uint64(0)
	record := make([]byte, logHead)
	for n := range logSlots {
		if _, err := l.file.ReadAt(record, int64(n)*int64(l.slot)); err != nil {
			return 0, err
		}
		if number := binary.LittleEndian.Uint64(record); number > 0 {
			numbers[number] = true
			newest = max(newest, number)
		}
	}
	for number := newest; number > 0 && number+logSlots > newest; number-- {
		if !numbers[number] {
			return 0, fmt.Errorf("record %d of %d is missing", number, newest)
		}
	}
	return int(newest), nil
}
