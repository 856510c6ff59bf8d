package rule

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Rules has the rules of a program by their Target. It is not safe for concurrent use with
// Add or AddFile.
type Rules map[string]Rule

// ErrTaken means that the target of a rule has another rule: the two would deploy in turn.
var ErrTaken = errors.New("already has a rule")

// Add parses a rule as [Parse] does, and adds it. Its error is an *[Error], which wraps
// ErrTaken if the target has a rule. Then rs is unchanged.
func (rs Rules) Add(text, dir string) error {
	r, err := Parse(text, dir)
	if err != nil {
		return err
	}
	if other, ok := rs[r.Target]; ok {
		return &Error{text, fmt.Errorf("%s %w: %q", r.Target, ErrTaken, other.Text)}
	}
	rs[r.Target] = r
	return nil
}

// AddFile adds the rules of a file, one on each line. It skips blank lines and lines that
// begin with #. The files that the rules name are relative to the folder of this one. The
// error of a rule is that of Add, with the file and the line. The rules before it remain
// added.
func (rs Rules) AddFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := rs.Add(line, filepath.Dir(name)); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return lines.Err()
}
