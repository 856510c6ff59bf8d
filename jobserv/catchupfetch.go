package jobserv

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/internal/catchup"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/wire"
)

// unsignedReason is the Unsigned of what was read from the API.
const unsignedReason = "read from JobServ's API, which does not sign its answers"

// errRunsAgain means that a build is not complete any more.
var errRunsAgain = errors.New("the build runs again")

// fetch reads a build from the API and returns the delivery of its call. Its dedup keys are
// those of the call, with that of the signature: a call that an earlier version has stored has
// no other.
func (c *CatchUp) fetch(ctx context.Context, m missingBuild) (*webhook.Delivery, error) {
	b, members, err := c.client.build(ctx, c.project, m.id)
	if err != nil {
		return nil, err
	}
	if !b.Result().Complete() {
		return nil, fmt.Errorf("build %d: %w", m.id, errRunsAgain)
	}
	if !b.Completed.Valid() {
		return nil, fmt.Errorf("build %d: %w: it is complete and has no time of completion", m.id, ErrAnswer)
	}
	body := callBody(b, members)
	d, err := c.source.OpenUnsigned(catchup.NewCall(callHeader()), body, unsignedReason)
	if err != nil {
		return nil, fmt.Errorf("build %d: %w: %w", m.id, ErrAnswer, err)
	}
	for _, mac := range signatures(c.source.Verifier, body) {
		signed := c.source
		signed.Verifier = sentSignature(mac)
		call, err := signed.Open(catchup.NewCall(callHeader()), body)
		if err != nil {
			return nil, err
		}
		for _, key := range call.DedupKeys {
			if !slices.Contains(d.DedupKeys, key) {
				d.DedupKeys = append(d.DedupKeys, key)
			}
		}
	}
	return d, nil
}

// callHeader returns what is known of the header of a call.
func callHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }

// keyBody returns a body that has what the dedup key of a build needs.
func keyBody(b Build) []byte {
	body, _ := json.Marshal(struct {
		URL       wire.Optional[string] `json:"url"`
		Completed wire.Time             `json:"completed"`
	}{b.URL, b.Completed}) // decoded or valid: cannot fail
	return body
}

// signatures returns the signature of a body under each key of an HMAC of [Verifier].
func signatures(v webhook.Verifier, body []byte) (macs [][]byte) {
	own, ok := v.(*webhook.HMAC)
	if !ok {
		return nil
	}
	keys := own.Keys
	if own.KeysFunc != nil {
		keys = own.KeysFunc()
	}
	for _, key := range keys {
		r := catchup.NewCall(make(http.Header))
		if Verifier(key).Sign(r, body) != nil {
			continue // an empty secret: NewReceiver refuses it
		}
		mac, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get(signatureHeader), signaturePrefix))
		if err == nil {
			macs = append(macs, mac)
		}
	}
	return macs
}

// A sentSignature is a Verifier whose Proof is the signature that a call would have. It checks
// nothing: only the dedup keys of the result are used.
type sentSignature []byte

func (sentSignature) Admit(*http.Request) error { return nil }

func (s sentSignature) Verify(*http.Request, []byte) (webhook.Proof, error) {
	return webhook.Proof{Signature: s}, nil
}
