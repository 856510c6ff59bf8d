package github

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
)

// fetch reads a delivery from the API. Its dedup keys are those of the call, with that of the
// signature: GitHub sends a body again under another GUID, for example to test a hook, and
// the inbox stores only one of the two.
func (c *CatchUp) fetch(ctx context.Context, m missingCall) (*webhook.Delivery, error) {
	header, body, err := c.client.delivery(ctx, c.hook, m.id)
	if err != nil {
		return nil, err
	}
	if header.Get(DeliveryHeader) != m.guid {
		return nil, fmt.Errorf("read a delivery: %w: it has another GUID", ErrAnswer)
	}
	if !json.Valid(body) {
		return nil, fmt.Errorf("read a delivery: %w: the payload is not JSON", ErrAnswer)
	}
	header.Del("Content-Length")
	header.Set("Content-Type", "application/json")
	signed := c.source
	signed.Verifier = sentSignature{}
	call, err := signed.Open(catchup.NewCall(header), body)
	if err != nil {
		return nil, err
	}
	header.Del(SignatureHeader)
	header.Del(SHA1SignatureHeader)
	d, err := c.source.OpenUnsigned(catchup.NewCall(header), body, unsignedReason)
	if err != nil {
		return nil, err
	}
	d.DedupKeys = call.DedupKeys
	return d, nil
}

// sentSignature is a Verifier whose Proof is the signature that GitHub has sent, as the API
// has it. It checks nothing: only the dedup keys of the result are used.
type sentSignature struct{}

func (sentSignature) Admit(*http.Request) error { return nil }

func (sentSignature) Verify(r *http.Request, _ []byte) (webhook.Proof, error) {
	for _, name := range []string{SignatureHeader, SHA1SignatureHeader} {
		_, text, _ := strings.Cut(r.Header.Get(name), "=")
		if mac, err := hex.DecodeString(text); err == nil && len(mac) > 0 {
			return webhook.Proof{Signature: mac}, nil
		}
	}
	return webhook.Proof{}, nil
}

// compare settles those that did not arrive because the inbox has the same body under another
// GUID. It reads only some in a round, those that were tried the least.
func (r *recovery) compare(ctx context.Context) error {
	for _, m := range slices.Clone(r.asked[:min(probes, len(r.asked))]) {
		d, err := r.c.fetch(ctx, m)
		if err != nil && isOfOne(err) {
			continue
		}
		if err != nil {
			return err
		}
		known, err := r.c.known(ctx, d.DedupKeys)
		if err != nil {
			return err
		}
		if slices.Contains(known, true) {
			r.c.same[m.guid] = true
			r.c.settled(m)
			r.asked = slices.DeleteFunc(r.asked, func(a missingCall) bool { return a.guid == m.guid })
		}
	}
	r.c.status.Change(func(s *CatchUpStatus) { s.Missing = r.open() })
	return nil
}
