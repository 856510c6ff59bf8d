package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/rabbitmq"
)

// byComment returns how often each comment has arrived, and requires that each has a Webhook-Id of
// its own, also when it comes again.
func byComment(t *testing.T, to *sink) map[string]int {
	t.Helper()
	n, ids, comments := make(map[string]int), make(map[string]string), make(map[string]string)
	for _, r := range to.received() {
		id, body := r.header.Get("Webhook-Id"), string(r.body)
		n[body]++
		if was, ok := ids[body]; ok && was != id {
			t.Fatalf("%s has come as %s and as %s", body, was, id)
		}
		if was, ok := comments[id]; ok && was != body {
			t.Fatalf("%s has come with %s and with %s", id, was, body)
		}
		ids[body], comments[id] = id, body
	}
	return n
}

// Two processes serve and two send. Each comment arrives, whichever part is away or killed: the
// processes that send, and then RabbitMQ, during whose absence what had failed is tried again.
func testComments(t *testing.T, node *rabbitNode) {
	const queue = "comments"
	env := []string{passwordName + "=" + secret, brokerName + "=" + node.url("guest", "/")}
	args := append([]string{"-db", postgresURL, "-queue", queue}, local...)
	if out, err := execute(t, t.TempDir(), env, "-declare", "-queue", queue); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var pages []*process
	var visitors []*rig
	for range 2 {
		p := startWith(t, t.TempDir(), env, append(args, "-web", "-admin-addr", "127.0.0.1:0")...)
		pages, visitors = append(pages, p), append(visitors, &rig{url: p.url})
	}
	left := 0
	leave := func(n int) {
		t.Helper()
		for range n {
			visitors[left%2].leave(t, fmt.Sprintf("comment %d.", left))
			left++
		}
	}
	to, held := newSink(t), newGate(t)
	visitors[0].add(t, to.url)
	arrive := func(what string) {
		t.Helper()
		eventually(t, what, func() bool { return len(byComment(t, to)) == left })
	}

	leave(5) // nobody sends yet: they wait in RabbitMQ
	eventually(t, "five events in RabbitMQ", func() bool { return inQueue(t, node, queue) == 5 })
	senders := []*sender{startSender(t, env, args...), startSender(t, env, args...)}
	leave(10)
	arrive("every comment")
	for body, n := range byComment(t, to) {
		if n != 1 {
			t.Errorf("%s has come %d times, and nothing was killed", body, n)
		}
	}

	visitors[0].add(t, held.url)
	leave(1)
	eventually(t, "a request that hangs", func() bool { return len(held.received()) > 0 })
	for _, s := range senders {
		s.end(t, os.Kill)
	}
	leave(5)
	senders = []*sender{startSender(t, env, args...), startSender(t, env, args...)}
	arrive("every comment after the kill")

	to.answer(http.StatusInternalServerError)
	leave(1)
	arrive("a comment that is refused")
	refused := to.received()[len(to.received())-1].header.Get("Webhook-Id")
	remembered(t, node, queue)
	if err := node.kill(); err != nil {
		t.Fatal(err)
	}
	to.answer(http.StatusOK)
	before := len(byComment(t, to))
	for _, s := range senders {
		requireHealth(t, s.admin, http.StatusServiceUnavailable)
	}
	for _, p := range pages {
		requireHealth(t, p.admin, http.StatusOK) // comments can be left
	}
	leave(5)
	eventually(t, "a retry while RabbitMQ is away", func() bool {
		n := 0
		for _, r := range to.received() {
			if r.header.Get("Webhook-Id") == refused {
				n++
			}
		}
		return n > 1
	})
	if n := len(byComment(t, to)); n != before {
		t.Errorf("%d comments have arrived while RabbitMQ was away: how?", n-before)
	}
	if err := node.restart(); err != nil {
		t.Fatal(err)
	}
	arrive("every comment after RabbitMQ is back")
	for _, s := range senders {
		requireHealth(t, s.admin, http.StatusOK)
	}

	testRefusals(t, node) // while the lease of what hung is not over
	close(held.opened)
	first := held.received()[0]
	eventually(t, "what hung when its process was killed, again", func() bool {
		return slices.Contains(held.received()[1:], first)
	})
	dead, err := io.ReadAll(ask(t, http.MethodGet, pages[0].admin+inspectPath+"api/deliveries?state=dead").Body)
	if n := strings.Count(string(dead), `"uid"`); err != nil || n > 0 {
		t.Errorf("%d are dead, %v: %s", n, err, dead)
	}
	if n := inQueue(t, node, rabbitmq.DeadQueue(queue)); n > 0 {
		t.Errorf("the dead queue has %d", n)
	}
	for _, p := range pages {
		p.stop(t, syscall.SIGTERM)
	}
	for _, s := range senders {
		s.end(t, syscall.SIGTERM)
	}
}
