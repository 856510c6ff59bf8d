package sender

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // GitHub still sends X-Hub-Signature
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"strings"
)

// PushSize is the size in bytes of the pushes of a [Pusher].
const PushSize = 8192

// A Pusher makes signed pushes to a branch of its own, each with a delivery id and
// a body of its own. Only the end of the body changes, and the hash of everything
// before it is kept, because signing would otherwise cost more than sending. It is
// for one goroutine.
type Pusher struct {
	number    int
	serial    int
	request   []byte
	id        []byte // a part of request, as are the following
	old, new  []byte // the signatures by SHA-1 and SHA-256
	tail      []byte // a number and the end of the document
	oldBefore hash.Cloner
	newBefore hash.Cloner
}

// The end of a body: where its number goes, and what ends the document.
const (
	serialMarker = "#serial#############"
	serialEnd    = `"}`
)

func NewPusher(number int) *Pusher {
	text := PushBody(number)
	p := &Pusher{number: number, request: wireForm(GitHub, text)}
	head, body, _ := bytes.Cut(p.request, []byte("\r\n\r\n"))
	at := func(before string, n int) []byte {
		i := bytes.Index(head, []byte(before))
		if i < 0 {
			panic("bench: the call has no " + before)
		}
		return head[i+len(before):][:n:n]
	}
	p.id = at("X-Github-Delivery: ", len(DeliveryID))
	p.old = at("X-Hub-Signature: sha1=", 2*sha1.Size)
	p.new = at("X-Hub-Signature-256: sha256=", 2*sha256.Size)
	p.tail = body[len(body)-len(serialMarker)-len(serialEnd):]
	p.oldBefore = macOf(sha1.New, body[:len(body)-len(p.tail)])
	p.newBefore = macOf(sha256.New, body[:len(body)-len(p.tail)])
	return p
}

// optional removes members that not every push has.
var optional = strings.NewReplacer(
	`"installation":{"id":58120934,"node_id":"MDIzOkludGVncmF0aW9uNTgxMjA5MzQ="},`, ``,
	`"license":{"key":"apache-2.0","name":"Apache License 2.0","spdx_id":"Apache-2.0","url":"https://api.github.com/licenses/apache-2.0","node_id":"MDc6TGljZW5zZTI="}`, `"license":null`,
)

// PushBody returns RealPush to another branch, with exactly PushSize bytes.
func PushBody(number int) string {
	text := optional.Replace(RealPush.Text)
	text = strings.Replace(text, `"ref":"refs/heads/main"`, fmt.Sprintf(`"ref":"refs/heads/lamp-%04d"`, number), 1)
	text = strings.TrimSuffix(text, "}") + `,"serial":"` + serialMarker + serialEnd
	filler := `,"filler":""`
	missing := PushSize - len(text) - len(filler)
	if missing < 0 {
		panic("bench: the push is larger than 8 KB")
	}
	filler = filler[:len(filler)-1] + strings.Repeat("-", missing) + `"`
	return strings.Replace(text, `,"serial"`, filler+`,"serial"`, 1)
}

func macOf(algorithm func() hash.Hash, before []byte) hash.Cloner {
	mac := hmac.New(algorithm, []byte(Secret))
	mac.Write(before)
	return mac.(hash.Cloner)
}

// Next returns the bytes of another push. They are valid until the next call.
func (p *Pusher) Next() []byte {
	p.serial++
	copy(p.id[19:], fmt.Sprintf("%04x-%012x", p.number, p.serial))
	copy(p.tail, fmt.Sprintf("%06d%014d", p.number, p.serial))
	signInto(p.old, p.oldBefore, p.tail)
	signInto(p.new, p.newBefore, p.tail)
	return p.request
}

func signInto(text []byte, before hash.Cloner, tail []byte) {
	mac := must(before.Clone())
	mac.Write(tail)
	hex.Encode(text, mac.Sum(nil))
}

// Forged returns a push with a wrong signature.
func (p *Pusher) Forged() []byte {
	request := p.Next()
	copy(p.new, hex.EncodeToString(make([]byte, sha256.Size)))
	return request
}

// refused returns an error unless the request is answered 401.
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
