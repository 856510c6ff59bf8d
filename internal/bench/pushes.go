package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // GitHub still sends X-Hub-Signature
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// pushSize is what a push that is to be kept has in bytes.
const pushSize = 8192

// A pusher makes pushes to a branch of its own, each with another delivery id
// and another body, all signed. Only the end of the body changes, and the hash
// of what stands before it is kept: signing would otherwise cost more than
// sending. For one goroutine.
type pusher struct {
	number    int
	serial    int
	request   []byte
	id        []byte // in request, like the following
	old, new  []byte // the signatures
	tail      []byte // a number, and what ends the document
	oldBefore hash.Cloner
	newBefore hash.Cloner
}

// marker stands in the template where each push has something of its own.
const (
	serialMarker = "#serial#############"
	serialEnd    = `"}`
)

func newPusher(number int) *pusher {
	text := keptBody(number)
	p := &pusher{number: number, request: wireForm(gitHub, text)}
	head, body, _ := bytes.Cut(p.request, []byte("\r\n\r\n"))
	at := func(before string, n int) []byte {
		i := bytes.Index(head, []byte(before))
		if i < 0 {
			panic("bench: the call has no " + before)
		}
		return head[i+len(before):][:n:n]
	}
	p.id = at("X-Github-Delivery: ", len(deliveryID))
	p.old = at("X-Hub-Signature: sha1=", 2*sha1.Size)
	p.new = at("X-Hub-Signature-256: sha256=", 2*sha256.Size)
	p.tail = body[len(body)-len(serialMarker)-len(serialEnd):]
	p.oldBefore = macOf(sha1.New, body[:len(body)-len(p.tail)])
	p.newBefore = macOf(sha256.New, body[:len(body)-len(p.tail)])
	return p
}

// Members that not every push has, and the text without them.
var optional = strings.NewReplacer(
	`"installation":{"id":58120934,"node_id":"MDIzOkludGVncmF0aW9uNTgxMjA5MzQ="},`, ``,
	`"license":{"key":"apache-2.0","name":"Apache License 2.0","spdx_id":"Apache-2.0","url":"https://api.github.com/licenses/apache-2.0","node_id":"MDc6TGljZW5zZTI="}`, `"license":null`,
)

// keptBody is the real push to a branch of the pusher's own, of exactly
// pushSize.
func keptBody(number int) string {
	text := optional.Replace(realPush.text)
	text = strings.Replace(text, `"ref":"refs/heads/main"`, fmt.Sprintf(`"ref":"refs/heads/lamp-%04d"`, number), 1)
	text = strings.TrimSuffix(text, "}") + `,"serial":"` + serialMarker + serialEnd
	filler := `,"filler":""`
	missing := pushSize - len(text) - len(filler)
	if missing < 0 {
		panic("bench: the push is larger than 8 KB")
	}
	filler = filler[:len(filler)-1] + strings.Repeat("-", missing) + `"`
	return strings.Replace(text, `,"serial"`, filler+`,"serial"`, 1)
}

func macOf(algorithm func() hash.Hash, before []byte) hash.Cloner {
	mac := hmac.New(algorithm, []byte(secretText))
	mac.Write(before)
	return mac.(hash.Cloner)
}

// next returns the bytes of another push, good until the next call.
func (p *pusher) next() []byte {
	p.serial++
	copy(p.id[19:], fmt.Sprintf("%04x-%012x", p.number, p.serial))
	copy(p.tail, fmt.Sprintf("%06d%014d", p.number, p.serial))
	sealInto(p.old, p.oldBefore, p.tail)
	sealInto(p.new, p.newBefore, p.tail)
	return p.request
}

func sealInto(text []byte, before hash.Cloner, tail []byte) {
	mac, err := before.Clone()
	if err != nil {
		panic(fmt.Sprintf("bench: %v", err)) // of SHA-1 and SHA-256 it cannot
	}
	mac.Write(tail)
	hex.Encode(text, mac.Sum(nil))
}

// forged is a push whose signature is another one's.
func (p *pusher) forged() []byte {
	request := p.next()
	copy(p.new, hex.EncodeToString(make([]byte, sha256.Size)))
	return request
}

// sendPushes sends to addr, over so many connections, for d after a quarter of it to
// warm up, and writes a load as JSON. Before it does, a forged push must be
// refused.
func sendPushes(w io.Writer, addr string, senders int, d time.Duration) error {
	if err := refused(addr, newPusher(senders).forged()); err != nil {
		return err
	}
	pushers := make([]*pusher, senders)
	for i := range pushers {
		pushers[i] = newPusher(i)
	}
	begin := time.Now().Add(d / 4)
	end := begin.Add(d)
	var clients sync.WaitGroup
	results := make([]client, senders)
	for i := range results {
		clients.Go(func() { results[i].send(addr, pushers[i].next, begin, end) })
	}
	clients.Wait()
	l, err := gather(results, time.Since(begin))
	if err != nil {
		return err
	}
	l.CPU = pace.ProcessTime()
	return json.NewEncoder(w).Encode(l)
}

// refused returns nil if the request is answered 401.
func refused(addr string, request []byte) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		return err
	}
	status := make([]byte, len("HTTP/1.1 401"))
	if _, err := io.ReadFull(conn, status); err != nil {
		return err
	}
	if string(status) != "HTTP/1.1 401" {
		return errors.New("a forged push was answered " + string(status))
	}
	return nil
}
