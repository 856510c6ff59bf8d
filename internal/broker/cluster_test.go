package broker_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/broker"
)

func TestNodeKeepsWhatItStoredWhenItIsKilled(t *testing.T) {
	c, err := broker.Start(t.Context(), 1, "max_message_size = 65536")
	if errors.Is(err, broker.ErrNotInstalled) && os.Getenv("CI") != "true" {
		fmt.Println("left out:", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	n := c.Node(0)
	if out, err := n.Eval(t.Context(), "application:get_env(rabbit, max_message_size)."); err != nil || out != "{ok, 65536}" {
		t.Errorf("the setting: %q, %v", out, err)
	}
	for _, expression := range []string{"absent:absent().", "absent("} {
		if out, err := n.Eval(t.Context(), expression); err == nil {
			t.Errorf("%s is %q", expression, out)
		}
	}
	if _, err := n.Ctl(t.Context(), "add_vhost", "kept"); err != nil {
		t.Fatal(err)
	}
	before := n.PID()
	if err := n.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := n.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.PID() == before {
		t.Error("it is the same process")
	}
	if out, err := n.Ctl(t.Context(), "list_vhosts"); err != nil || !strings.Contains(out, "kept") {
		t.Errorf("after the kill: %q, %v", out, err)
	}
	if err := n.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := n.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := n.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}
