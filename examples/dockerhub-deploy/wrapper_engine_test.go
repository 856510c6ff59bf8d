//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
)

// wrapper is the docker program that the program under test finds. It notes each
// command in the file calls and runs the real program. The file fault has the words
//
//	WHEN ACTION PATTERN
//
// At the first command that matches the pattern of the shell it does, before or after
// the real program runs:
//
//	kill    kills the program under test
//	hold    creates the file held, and waits for the file go
//	fail    fails without running the real program, as if the engine were away
//
// If PATTERN is a number N, it is the Nth command that changes something. Only one
// command runs at a time in the tests that use faults.
const wrapper = `#!/bin/sh
cd DIR
line="$*"
case "$line" in
*inspect*|ps*|version*|*compose*\ ps\ *|*compose*\ config*|*compose*\ version*|*--help*|image\ *|images*|info*|container\ ls*) changes= ;;
*) changes=yes; echo "$line" >> changes ;;
esac
echo "$line" >> calls
when= action=
if [ -f fault ]; then
	read -r when action pattern < fault
	case "$pattern" in
	[0-9]*) [ "$changes" ] && [ "$(wc -l < changes)" -eq "$pattern" ] || when= ;;
	*) case "$line" in $pattern) ;; *) when= ;; esac ;;
	esac
	[ "$when" ] && mv fault fault.done
fi
act() {
	case $action in
	kill) kill -9 $PPID ;;
	hold) touch held; until [ -e go ]; do sleep 0.05; done ;;
	fail) echo "Cannot connect to the Docker daemon at unix:///away. Is the docker daemon running?" >&2; exit 1 ;;
	esac
}
cd - > /dev/null
[ "$when" ] || exec DOCKER "$@"
if [ "$when" = before ]; then (cd DIR; act) || exit 1; fi
DOCKER "$@"
status=$?
if [ "$when" = after ]; then (cd DIR; act); fi
exit $status
`

func (s *site) writeWrapper() {
	s.t.Helper()
	text := strings.NewReplacer("DIR", "'"+s.dir+"'", "DOCKER", s.rig.docker).Replace(wrapper)
	if err := os.WriteFile(filepath.Join(s.dir, "docker"), []byte(text), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// fault makes the wrapper act at one command.
func (s *site) fault(when, action, pattern string) {
	s.t.Helper()
	for _, name := range []string{"held", "go", "fault.done"} {
		_ = os.Remove(filepath.Join(s.dir, name))
	}
	s.write("fault", when+" "+action+" "+pattern+"\n")
}

// untilHeld waits until a command is held.
func (s *site) untilHeld() {
	s.t.Helper()
	s.until("a command to be held", func() bool { _, err := os.Stat(filepath.Join(s.dir, "held")); return err == nil })
}

// release continues the command that is held.
func (s *site) release() {
	s.t.Helper()
	s.write("go", "")
}

// changes returns the commands so far that changed something, if they contain a word.
func (s *site) changes(word string) []string {
	var found []string
	for line := range strings.Lines(s.read("changes")) {
		if strings.Contains(line, word) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
